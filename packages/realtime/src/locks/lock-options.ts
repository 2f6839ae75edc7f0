import type { Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import { wholeNumber } from '../backend/names.js'

const SHORTEST_TTL_MS = 50
const LONGEST_MS = 86_400_000

export interface LockOptions {
  /** How long it is held when nothing extends it: after a crash others wait so long. 50 ms to 24 h. Default `'30s'`. */
  readonly ttl?: Duration
  /** How long to wait for it while somebody else has it; 0: one try. At most 24 h. Default `'10s'`. */
  readonly wait?: Duration
  /** Whether it is extended while it is held, three times in `ttl`. Without, it is held for `ttl` and no longer. Default `true`. */
  readonly autoExtend?: boolean
}

export interface LockSettings {
  readonly ttlMs: number
  readonly waitMs: number
  readonly autoExtend: boolean
}

export function ttlOf(ttl: Duration): number {
  return wholeNumber(toMs(ttl, 'ttl'), 'ttl', SHORTEST_TTL_MS, LONGEST_MS)
}

/** @throws {InvalidOptionError} */
export function lockSettings({ ttl = '30s', wait = '10s', autoExtend = true }: LockOptions): LockSettings {
  return { ttlMs: ttlOf(ttl), waitMs: wholeNumber(toMs(wait, 'wait'), 'wait', 0, LONGEST_MS), autoExtend }
}
