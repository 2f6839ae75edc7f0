import { RedisTimeoutError } from '../errors/index.js'

/** The time that Redis may add to one call, whatever the call asks of it. What is asked at the same time is counted once. */
export class Budget {
  #leftMs: number
  #asking = 0
  #startedAt = 0

  constructor(ms: number) {
    this.#leftMs = ms
  }

  /** Begins to count. Gives what is left. */
  start(): number {
    const now = performance.now()
    const leftMs = this.#asking === 0 ? this.#leftMs : this.#leftMs - (now - this.#startedAt)
    if (leftMs <= 0) throw new RedisTimeoutError('Redis took longer than the deadline of the call')
    if (this.#asking++ === 0) this.#startedAt = now
    return leftMs
  }

  stop(now = performance.now()): void {
    if (--this.#asking === 0) this.#leftMs -= now - this.#startedAt
  }

  async spend<T>(work: (timeoutMs: number) => Promise<T>): Promise<T> {
    const ms = this.start()
    try {
      return await work(ms)
    } finally {
      this.stop()
    }
  }
}
