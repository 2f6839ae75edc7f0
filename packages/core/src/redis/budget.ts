import { RedisTimeoutError } from '../errors/index.js'

/** The time that Redis may add to one call, whatever the call asks of it. */
export class Budget {
  #leftMs: number
  #startedAt = 0

  constructor(ms: number) {
    this.#leftMs = ms
  }

  get isSpent(): boolean {
    return this.#leftMs <= 0
  }

  /** Begins to count. Gives what is left. */
  start(): number {
    if (this.isSpent) throw new RedisTimeoutError('Redis took longer than the deadline of the call')
    this.#startedAt = performance.now()
    return this.#leftMs
  }

  stop(): void {
    this.#leftMs -= performance.now() - this.#startedAt
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
