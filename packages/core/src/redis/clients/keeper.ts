import { MissingPeerError, type RedisError } from '../../errors/index.js'
import { Attempt, type Attempting } from './attempt.js'
import { backoff } from './backoff.js'
import type { Wire } from './wire.js'

/** A wire that did not live this long does not end the series of failures: some servers accept and close at once. */
const STEADY_MS = 1000

/** An attempt that is not through by then is joined by another one. */
const JOINED_AFTER_MS = 1000

export interface Keeping extends Attempting {
  onUp(wire: Wire): void
  /** After every loss, and after every attempt that failed. */
  onDown(error: RedisError): void
  /** The first error of a series, and each that differs from the one before. */
  onError(error: RedisError): void
}

/**
 * Keeps one wire up for ever: makes it, notices its loss, makes the next one after a pause of 50 ms doubling to 1 s.
 *
 * An attempt may hang although the server is back: what it sent while nothing got through is lost, and its own system repeats that ever more seldom. So it is
 * joined by a second one, which gives way to another every second, while the first is left all the time that an attempt may take: a server that is slow to
 * accept, encrypt or check the password is connected to by that one. The first that is through wins. There are never more than two.
 */
export class Keeper {
  /** The wire that is up. */
  wire: Wire | undefined

  readonly #keeping: Keeping
  /** Those under way, the patient one first. */
  #attempts: readonly Attempt[] = []
  #failures = 0
  #upSince = 0
  /** To the next attempt. */
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #reported = ''

  constructor(keeping: Keeping) {
    this.#keeping = keeping
  }

  start(): void {
    const attempt = new Attempt(this.#keeping, {
      onUp: (wire) => this.#succeeded(attempt, wire),
      onFailed: (error) => this.#missed(attempt, error),
      onLost: (wire, error) => {
        if (wire === this.wire) this.fail(error)
      },
    })
    this.#attempts = [...this.#attempts, attempt]
    // Some of it at random: all processes have lost the same server.
    this.#schedule(JOINED_AFTER_MS * (1 - Math.random() / 4), () => this.#join())
    void attempt.run()
  }

  /** Drops the wire and makes a new one at once. Nothing to do while one is being made: that has a deadline of its own. */
  recycle(reason: RedisError): void {
    if (this.#stopped || this.wire === undefined) return
    this.#abandon()
    this.#failures = 0
    this.#keeping.onDown(reason)
    if (!this.#stopped) this.start()
  }

  /** The wire is of no use any more, whatever the client thinks. */
  fail(error: RedisError): void {
    if (this.wire === undefined) return
    this.#abandon()
    if (!this.#stopped) {
      if (performance.now() - this.#upSince >= STEADY_MS) this.#failures = 0
      this.#retryIn(backoff(++this.#failures))
      this.#report(error)
    }
    this.#keeping.onDown(error)
  }

  /** No more attempts. A wire that is up stays so until `drop`. */
  retire(): void {
    this.#stopped = true
    this.#giveUpAttempts()
  }

  drop(): void {
    this.retire()
    this.#abandon()
  }

  #abandon(): void {
    const { wire } = this
    this.wire = undefined
    wire?.drop()
  }

  #giveUpAttempts(): void {
    clearTimeout(this.#timer)
    for (const attempt of this.#attempts) attempt.abandon()
    this.#attempts = []
  }

  #join(): void {
    const [patient, ...others] = this.#attempts
    for (const attempt of others) attempt.abandon()
    this.#attempts = patient === undefined ? [] : [patient]
    this.start()
  }

  #succeeded(attempt: Attempt, wire: Wire): void {
    this.#attempts = this.#attempts.filter((other) => other !== attempt)
    this.#giveUpAttempts()
    this.wire = wire
    this.#upSince = performance.now()
    this.#reported = ''
    this.#keeping.onUp(wire)
  }

  #missed(attempt: Attempt, error: RedisError): void {
    this.#attempts = this.#attempts.filter((other) => other !== attempt)
    this.#failures++
    // Nothing that is installed later is found by a process that looked for it before.
    if (error instanceof MissingPeerError) this.retire()
    // What it took counts: that was a pause, too.
    else if (this.#attempts.length === 0) this.#retryIn(Math.max(backoff(1), backoff(this.#failures) - (performance.now() - attempt.startedAt)))
    this.#report(error)
    this.#keeping.onDown(error)
  }

  #retryIn(ms: number): void {
    this.#schedule(ms, () => this.start())
  }

  #schedule(ms: number, then: () => void): void {
    clearTimeout(this.#timer)
    // A process that has nothing else to do need not stay for a server that is gone.
    this.#timer = setTimeout(then, ms).unref()
  }

  #report(error: RedisError): void {
    if (error.message === this.#reported) return
    this.#reported = error.message
    this.#keeping.onError(error)
  }
}
