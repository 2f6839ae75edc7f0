import type { Beginning, Flight } from './flight.js'
import type { TapeReader } from './tape.js'

/** One caller's place in a flight, from before it begins until he has read its end, left, or given up. */
export class Waiter {
  readonly #flight: Flight
  readonly #signal: AbortSignal | undefined
  readonly #reader: TapeReader<unknown>
  #isGone = false
  #giveUp: () => void = () => {}
  readonly #givenUp: Promise<never>

  constructor(flight: Flight, signal: AbortSignal | undefined) {
    this.#flight = flight
    this.#signal = signal
    // Before anything has come: what is not yet read by somebody may not be kept.
    this.#reader = flight.tape.read()
    flight.join()
    this.#givenUp = new Promise((_, reject) => {
      this.#giveUp = () => {
        this.#reader.fail(signal?.reason)
        this.leave()
        reject(signal?.reason)
      }
    })
    this.#givenUp.catch(() => {})
    signal?.addEventListener('abort', this.#giveUp, { once: true })
  }

  async begun(): Promise<Beginning> {
    try {
      return await Promise.race([this.#flight.begun, this.#givenUp])
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
    this.#signal?.removeEventListener('abort', this.#giveUp)
    this.#reader.return()
    this.#flight.leave()
  }
}
