/**
 * Until when memory may answer. A process that is cut off or was paused cannot be told that a value is old, so it has to stop trusting its memory by itself: an
 * entry may be served while either the stream of changes was confirmed, or the entry loaded, at most `bound` ago.
 */
export class Gate {
  /** When it was last certain that every change up to then had arrived here. */
  confirmedAt = Number.NEGATIVE_INFINITY
  /** How long it took to become so. */
  confirmationMs: number | undefined
  bound: number

  constructor(bound: number) {
    this.bound = bound
  }

  /** Every change up to `askedAt` has arrived by now. */
  confirm(askedAt: number): void {
    this.confirmedAt = askedAt
    this.confirmationMs = performance.now() - askedAt
  }

  /** Whether memory may answer with what was loaded at `loadedAt`. */
  admits(loadedAt: number, now: number): boolean {
    return now - (loadedAt > this.confirmedAt ? loadedAt : this.confirmedAt) <= this.bound
  }
}
