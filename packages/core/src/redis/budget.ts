import { RedisTimeoutError } from '../errors/index.js'

/** The time that Redis may add to one call, whatever the call asks of it. */
export class Budget {
  #leftMs: number

  constructor(ms: number) {
    this.#leftMs = ms
  }

  get isSpent(): boolean {
    return this.#leftMs <= 0
  }

  async spend<T>(work: (timeoutMs: number) => Promise<T>): Promise<T> {
    if (this.isSpent) throw new RedisTimeoutError('Redis took longer than the deadline of the call')
    const start = performance.now()
    try {
      return await work(this.#leftMs)
    } finally {
      this.#leftMs -= performance.now() - start
    }
  }
}
