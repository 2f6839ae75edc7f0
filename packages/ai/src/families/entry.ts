import { NOWHERE } from './expiry-queue.js'

/** A value in the memory of this process. */
export class Entry {
  /** In the queue of those that expire. */
  place = NOWHERE
  /** By the monotonic clock. */
  readonly deadline: number
  /** By the clock on the wall. */
  readonly #expiresAt: number

  constructor(
    readonly key: string,
    readonly value: unknown,
    ttlMs: number,
    /** Names this value among all that the key ever had, here and elsewhere. Empty for one that nobody else knows. */
    readonly version: string,
  ) {
    this.deadline = performance.now() + ttlMs
    this.#expiresAt = Date.now() + ttlMs
  }

  /** When either clock says so: one stands still while the machine sleeps, the other one is set by people. */
  get isExpired(): boolean {
    return Date.now() > this.#expiresAt || performance.now() > this.deadline
  }
}
