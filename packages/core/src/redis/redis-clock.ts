/**
 * Redis time, from the monotonic clock and what the server said last. Clocks of other machines are not asked, so that their skew decides nothing.
 *
 * The server read its clock some time between our question and its answer. Its time is taken for that of the question: entries may then seem to expire a
 * round trip early, and never late.
 */
export class RedisClock {
  #offset = 0

  learn(serverMs: number, askedAt: number): void {
    this.#offset = serverMs - askedAt
  }

  /** Redis time at a moment of the monotonic clock. */
  redisTime(monotonic: number): number {
    return monotonic + this.#offset
  }

  /** The moment of the monotonic clock at which it will be this time in Redis. */
  monotonic(redisTime: number): number {
    return Math.floor(redisTime - this.#offset)
  }
}
