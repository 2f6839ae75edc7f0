const MOST_TIMES = 20_000
const MOST_FAILURES = 3

/** What happened in one process, as plain data. */
export interface Figures {
  readonly counts: Readonly<Record<string, number>>
  /** Calls that failed, though the database was there: none should, whatever Redis does. */
  readonly failed: number
  /** What the first of them said. */
  readonly failures: readonly string[]
  /** A sample of how long reads took, in ms. */
  readonly times: readonly number[]
}

export class Tally {
  readonly #counts = new Map<string, number>()
  readonly #failures: string[] = []
  readonly #times: number[] = []
  #failed = 0
  #timed = 0

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  fail(error: unknown): void {
    this.#failed++
    if (this.#failures.length < MOST_FAILURES) this.#failures.push(String(error))
  }

  took(ms: number): void {
    this.#timed++
    // Each is in the sample with the same probability.
    const at = this.#times.length < MOST_TIMES ? this.#times.length : Math.floor(Math.random() * this.#timed)
    if (at < MOST_TIMES) this.#times[at] = ms
  }

  figures(more: Readonly<Record<string, number>>): Figures {
    return { counts: { ...Object.fromEntries(this.#counts), ...more }, failed: this.#failed, failures: this.#failures, times: this.#times }
  }
}
