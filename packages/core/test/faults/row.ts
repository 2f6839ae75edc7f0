import type { Arena } from './arena.js'

/** One fault: how it is made to happen, and what must be seen then. */
export interface Row {
  readonly fault: string
  readonly injected: string
  readonly promised: string
  /** Takes seconds: only with TIERCEL_PROOF=1. */
  readonly isSlow?: boolean
  /** Makes it happen, fails when the promise is broken, and tells what was seen. */
  check(arena: Arena): Promise<string>
}

/** What cannot be made to happen here. */
export interface LeftOut {
  readonly fault: string
  readonly because: string
}
