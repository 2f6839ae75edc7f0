const REMEMBERED = 4096

/**
 * Which tags were invalidated lately, and when, counted in changes rather than in time. A loader may name tags only
 * when it is done; whether one of them was invalidated while it ran is answered from here. What is no longer
 * remembered counts as invalidated: forgetting may cost a store, never a stale value.
 */
export class RecentChanges {
  readonly #lastChange = new Map<string, number>()
  #forgotten = 0
  #now = 0

  /** The number of changes so far. */
  get now(): number {
    return this.#now
  }

  /** Everything may have changed. */
  forgetAll(): void {
    this.#now++
    this.#lastChange.clear()
    this.#forgotten = this.#now
  }

  record(id: string): void {
    this.#now++
    this.#lastChange.delete(id)
    this.#lastChange.set(id, this.#now)
    if (this.#lastChange.size > REMEMBERED) {
      const [oldest, at] = this.#lastChange.entries().next().value as [string, number]
      this.#lastChange.delete(oldest)
      this.#forgotten = at
    }
  }

  changedSince(id: string, then: number): boolean {
    return (this.#lastChange.get(id) ?? this.#forgotten) > then
  }
}
