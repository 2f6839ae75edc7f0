import type { RedisLink } from '@tiercel/core/connection'
import type { Moment } from './session-records.js'

/** The answer that came fastest says most. */
const SAMPLES = 5

/**
 * Redis time in microseconds, by the monotonic clock of this process and what Redis said last: so that processes agree on which of two writes was later, whatever
 * their own clocks show, and also while Redis is away. Before Redis has said anything it is the clock of this process. Which of two writes in different processes
 * was later is told rightly when they are further apart than a round trip.
 */
export class RedisTime {
  readonly #link: RedisLink
  #offset = performance.timeOrigin * 1000
  #last = 0

  constructor(link: RedisLink) {
    this.#link = link
  }

  async learn(): Promise<void> {
    let shortest = Number.POSITIVE_INFINITY
    for (let sample = 0; sample < SAMPLES; sample++) {
      const askedAt = performance.now()
      const [seconds, micros] = (await this.#link.send(['TIME'], { route: '' })) as [Buffer, Buffer]
      const took = performance.now() - askedAt
      if (took >= shortest) continue
      shortest = took
      // It was read some time between question and answer.
      this.#offset = Number(String(seconds)) * 1_000_000 + Number(String(micros)) - (askedAt + took / 2) * 1000
    }
  }

  /** A moment that no other of this process has, and until which it is waited for. */
  moment(): Moment {
    const now = Math.floor(performance.now() * 1000 + this.#offset)
    this.#last = Math.max(now, this.#last + 1)
    return { stamp: this.#last, until: now + this.#link.deadlineMs * 1000 }
  }
}
