import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Misbehaviour } from '../misbehaviour.js'

const run = promisify(execFile)

/** What a program beside this file prints, run in a process of its own: its heap holds nothing else, and is given back. */
export async function inChild(program: URL, ...args: string[]): Promise<unknown> {
  try {
    const { stdout } = await run(process.execPath, ['--expose-gc', fileURLToPath(program), ...args], { timeout: 120_000 })
    return JSON.parse(stdout)
  } catch (error) {
    throw new Misbehaviour(`${program.pathname.split('/').at(-1)} ${args.join(' ')} did not do what it should`, { cause: error })
  }
}
