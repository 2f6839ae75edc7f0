/** How a wait for changes ended: they arrived, they did not arrive in time, or the numbers mean nothing any more since the stream was interrupted. */
export type Delivery = 'delivered' | 'late' | 'interrupted'

/**
 * Where this process is in the numbered stream of changes. Pub/sub delivers at most once and tells nobody what it lost; the numbers do. A number out of
 * turn means something was missed, or that the counter was lost and begun anew: both times all that is known may be wrong.
 */
export class Sequence {
  #position: number | undefined
  #interruptions = 0
  readonly #waiting = new Set<{ readonly upTo: number; readonly done: (end: Delivery) => void }>()

  /** The last change seen, once it is known that the stream is being heard. */
  get position(): number | undefined {
    return this.#position
  }

  /** Counts up whenever the stream is interrupted. A number that was asked for before means nothing afterwards. */
  get interruptions(): number {
    return this.#interruptions
  }

  /** A change has arrived. Returns false when it is not the one that was to come. */
  advance(number: number): boolean {
    const before = this.#position
    if (before === undefined) return true
    const isNext = number === before + 1
    if (!isNext) this.#interrupt()
    this.#moveTo(number)
    return isNext
  }

  /** The stream is heard from this change on. */
  begin(number: number): void {
    this.#moveTo(number)
  }

  /** It is not known any more whether the stream is heard. */
  lose(): void {
    this.#position = undefined
    this.#interrupt()
  }

  /**
   * Resolves once all changes up to this one have arrived, or after `ms`, or when it turns out that they will not.
   *
   * @param askedAt The interruptions there had been when the number was asked for.
   */
  async deliveredUpTo(upTo: number, askedAt: number, ms: number): Promise<Delivery> {
    if (this.#position === undefined || this.#interruptions !== askedAt) return 'interrupted'
    if (this.#position >= upTo) return 'delivered'
    return new Promise((resolve) => {
      const waiter = {
        upTo,
        done: (end: Delivery) => {
          clearTimeout(timer)
          this.#waiting.delete(waiter)
          resolve(end)
        },
      }
      // When the event loop was held up, what has arrived in time is read only after this.
      const timer = setTimeout(() => setImmediate(() => waiter.done('late')), ms)
      timer.unref()
      this.#waiting.add(waiter)
    })
  }

  #moveTo(number: number): void {
    this.#position = number
    for (const waiter of this.#waiting) if (number >= waiter.upTo) waiter.done('delivered')
  }

  #interrupt(): void {
    this.#interruptions++
    for (const waiter of this.#waiting) waiter.done('interrupted')
  }
}
