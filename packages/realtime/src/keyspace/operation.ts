import { defineScript, type Script } from '@tiercel/core/connection'
import type { Value } from './keyspace.js'

export type Call = (name: string, ...args: (string | number)[]) => Value

/** Several commands that are executed as one: in Redis a script, in memory the same again in JavaScript, where nothing can come in between. */
export interface Operation {
  readonly script: Script
  readonly inMemory: (call: Call, keys: readonly string[], args: readonly string[]) => Value
}

/** Of all operations, so that a server can be told of them before the first is used. */
export const scripts: Script[] = []

/** Both texts stand next to each other so that they are read, and changed, together. */
export function defineOperation(lua: string, inMemory: Operation['inMemory']): Operation {
  const script = defineScript(lua)
  scripts.push(script)
  return { script, inMemory }
}

/** Redis time in ms, for scripts that begin with it: `now`. */
export const NOW_MS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

export function nowMs(call: Call): number {
  const [seconds, micros] = call('TIME') as [string, string]
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}
