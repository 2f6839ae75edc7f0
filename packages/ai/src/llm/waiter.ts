import type { Beginning, Flight } from './flight.js'
import type { TapeReader } from './tape.js'

/** One caller's place in a flight, from before it begins until he has read its end, left, or given up. */
export class Waiter {
  readonly #flight: Flight
  readonly #reader: TapeReader<unknown>
  readonly #patience: Patience | undefined
  #isGone = false

  /** @param signal Gives up. */
  constructor(flight: Flight, signal: AbortSignal | undefined) {
    this.#flight = flight
    // Before anything has come: what is not yet read by somebody may not be kept.
    this.#reader = flight.tape.read()
    flight.join()
    if (signal === undefined) return
    this.#patience = new Patience(signal, () => {
      this.#reader.fail(signal.reason)
      this.leave()
    })
    // All of it is here then. Whoever never reads it leaves nothing behind at a signal that may outlive him by far.
    void flight.over.then(() => this.#patience?.end())
  }

  async begun(): Promise<Beginning> {
    try {
      return await (this.#patience === undefined ? this.#flight.begun : Promise.race([this.#flight.begun, this.#patience.lost]))
    } catch (error) {
      this.leave()
      throw error
    }
  }

  /** Leaves at the end, and when it throws. */
  async next(): Promise<IteratorResult<unknown, undefined>> {
    try {
      const next = await this.#reader.next()
      if (next.done) this.leave()
      return next
    } catch (error) {
      this.leave()
      throw error
    }
  }

  leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#patience?.end()
    this.#reader.return()
    this.#flight.leave()
  }
}

/** What somebody waits for, unless his signal gives it up. */
export async function whileWanted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const patience = new Patience(signal, () => {})
  try {
    const done = await Promise.race([work, patience.lost])
    signal.throwIfAborted()
    return done
  } finally {
    patience.end()
  }
}

/** How long a caller waits: until his signal. */
class Patience {
  /** Rejects when he gives up. */
  readonly lost: Promise<never>
  #onAbort = () => {}

  constructor(
    private readonly signal: AbortSignal,
    giveUp: () => void,
  ) {
    this.lost = new Promise((_, reject) => {
      this.#onAbort = () => {
        giveUp()
        reject(signal.reason)
      }
    })
    // Nobody may be waiting just then.
    this.lost.catch(() => {})
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  end(): void {
    this.signal.removeEventListener('abort', this.#onAbort)
  }
}
