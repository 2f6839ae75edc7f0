import type { RedisLink } from '@tiercel/core/connection'

const RETRY_MS = 100

/** How it becomes certain again that everything was heard. */
export interface Settling {
  /** Finds out whether something was missed, and tells what others have not heard. Rejects when Redis does not let it. */
  makeSure(): Promise<void>
  /** It is certain. Brings what is here and what Redis has together. */
  catchUp(): Promise<void>
  /** And nothing may have been missed meanwhile. */
  settled(): void
}

/** Whether all invalidations were heard. Nothing is sent or fetched while that is not certain: at the beginning, in an outage, after a gap in the messages. */
export class Certainty {
  readonly #link: RedisLink
  readonly #settling: Settling
  #isSure = false
  #round = 0
  #triedRound = 0
  #attempt: Promise<void> | undefined

  constructor(link: RedisLink, settling: Settling) {
    this.#link = link
    this.#settling = settling
  }

  get isSure(): boolean {
    return this.#isSure
  }

  /** Counts up whenever something may have been missed. */
  get round(): number {
    return this.#round
  }

  /** Redis is away. */
  lose(): void {
    this.#isSure = false
  }

  /** Something may have been missed. An outage ends so, too. */
  doubt(): void {
    this.#round++
    this.#isSure = false
    this.#settle()
  }

  /** Does what needs Redis, after the first connection if there was none yet. Nobody is to wait for a Redis that is away, or refuses to say what was missed. */
  async whenSure<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#link.state === 'connecting') await this.#link.ready()
    if (!this.#isSure) await this.#attempt
    return this.#isSure ? work() : undefined
  }

  #settle(): void {
    this.#attempt ??= this.#try().finally(() => {
      this.#attempt = undefined
      // It was doubted after the last look.
      if (this.#triedRound !== this.#round && this.#link.state === 'up') this.#settle()
    })
  }

  async #try(): Promise<void> {
    while (this.#link.state === 'up') {
      const round = this.#round
      this.#triedRound = round
      try {
        await this.#settling.makeSure()
      } catch {
        setTimeout(() => this.#settle(), RETRY_MS).unref()
        return
      }
      if (round !== this.#round || this.#link.state !== 'up') continue
      this.#isSure = true
      await this.#settling.catchUp()
      if (round !== this.#round) continue
      this.#settling.settled()
      return
    }
  }
}
