const LOOK_MS = 10
/** Timers are never quite in time. */
const USUAL_MS = 4

/**
 * Measures what calls take, less what the machine took: the time by which a timer was late meanwhile, because the process did not get to run or had too much to do.
 */
export class Stopwatch {
  #lateMs = 0
  #dueAt = performance.now() + LOOK_MS
  readonly #timer = setInterval(() => this.#look(), LOOK_MS)

  /** How long it takes, in ms. */
  async time(call: () => Promise<unknown>): Promise<number> {
    const began = performance.now()
    const lateBefore = this.#late(began)
    await call()
    const ended = performance.now()
    return ended - began - Math.max(0, this.#late(ended) - lateBefore)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    this.#lateMs = this.#late(now)
    this.#dueAt = now + LOOK_MS
  }

  #late(now: number): number {
    return this.#lateMs + Math.max(0, now - this.#dueAt - USUAL_MS)
  }
}
