/**
 * Where this process is in the numbered stream of changes. Pub/sub delivers at most once and tells nobody what it lost; the numbers do. A number out of
 * turn means something was missed, or that the counter was lost and begun anew: both times all that is known may be wrong.
 */
export class Sequence {
  #position: number | undefined
  readonly #waiting = new Set<{ readonly upTo: number; readonly done: (delivered: boolean) => void }>()

  /** The last change seen, once it is known that the stream is being heard. */
  get position(): number | undefined {
    return this.#position
  }

  /** A change has arrived. Returns false when it is not the one that was to come. */
  advance(number: number): boolean {
    const before = this.#position
    if (before === undefined) return true
    this.#moveTo(number)
    return number === before + 1
  }

  /** The stream is heard from this change on. */
  begin(number: number): void {
    this.#moveTo(number)
  }

  /** It is not known any more whether the stream is heard. */
  lose(): void {
    this.#position = undefined
  }

  /** Resolves to whether all changes up to this one have arrived within `ms`. */
  async deliveredUpTo(upTo: number, ms: number): Promise<boolean> {
    if (this.#position !== undefined && this.#position >= upTo) return true
    return new Promise((resolve) => {
      const waiter = {
        upTo,
        done: (delivered: boolean) => {
          clearTimeout(timer)
          this.#waiting.delete(waiter)
          resolve(delivered)
        },
      }
      const timer = setTimeout(() => waiter.done(false), ms)
      timer.unref()
      this.#waiting.add(waiter)
    })
  }

  #moveTo(number: number): void {
    this.#position = number
    for (const waiter of this.#waiting) if (number >= waiter.upTo) waiter.done(true)
  }
}
