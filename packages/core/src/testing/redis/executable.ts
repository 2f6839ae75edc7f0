import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { MissingProgramError } from '../../errors/index.js'

const HOW = 'Put redis-server or valkey-server on PATH (Debian: apt-get install redis-server; macOS: brew install redis), or name it with the option executable.'

/** The file of the first program on PATH that has one of these names; of the first name that is there at all. */
export function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

/** The `redis-server` on PATH, or else the `valkey-server`: what `startRedis` starts. */
export function findRedisServer(): string | undefined {
  return findOnPath(['redis-server', 'valkey-server'])
}

/** @throws {MissingProgramError} The message says how to get one. */
export function needRedisServer(executable = findRedisServer()): string {
  if (executable === undefined) throw new MissingProgramError(`There is no Redis server to start. ${HOW}`)
  if (!isExecutable(executable)) throw new MissingProgramError(`The Redis server that was named, ${executable}, cannot be executed. ${HOW}`)
  return executable
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
