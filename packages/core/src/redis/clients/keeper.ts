import { MissingPeerError, RedisUnavailableError, type RedisError } from '../../errors/index.js'
import { backoff } from './backoff.js'
import { startDeadline } from './deadline.js'
import { redacted } from './redaction.js'
import type { Wire } from './wire.js'

/** A wire that did not live this long does not end the series of failures: some servers accept and close at once. */
const STEADY_MS = 1000

export interface Keeping {
  readonly where: string
  readonly connectTimeoutMs: number
  dial(lost: (reason: unknown) => void): Wire | Promise<Wire>
  /** What must succeed before an open wire counts as up. */
  greet(wire: Wire): Promise<void>
  onUp(wire: Wire): void
  /** After every loss, and after every attempt that failed. */
  onDown(error: RedisError): void
  /** The first error of a series, and each that differs from the one before. */
  onError(error: RedisError): void
}

/** Keeps one wire up for ever: makes it, notices its loss, makes the next one after a pause of 50 ms doubling to 1 s. */
export class Keeper {
  /** The wire that is up. */
  wire: Wire | undefined

  readonly #keeping: Keeping
  #opening: Wire | undefined
  #failures = 0
  #upSince = 0
  #retry: NodeJS.Timeout | undefined
  #stopped = false
  #reported = ''

  constructor(keeping: Keeping) {
    this.#keeping = keeping
  }

  start(): void {
    void this.#connect()
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
    clearTimeout(this.#retry)
    this.#opening?.drop()
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

  async #connect(): Promise<void> {
    const { where, connectTimeoutMs } = this.#keeping
    let wire: Wire | undefined
    let fail: (reason: unknown) => void = () => {}
    let failed = false
    const failure = new Promise<never>((_, reject) => {
      fail = (reason) => {
        failed = true
        reject(reason)
      }
    })
    const stopWaiting = startDeadline(connectTimeoutMs, () => fail(new RedisUnavailableError(`${where}: it does not answer`)), true)
    try {
      const lost = (reason: unknown) => {
        fail(reason)
        if (wire !== undefined && wire === this.wire) this.fail(redacted(reason, where))
      }
      wire = this.#opening = await Promise.race([this.#keeping.dial(lost), failure])
      await Promise.race([this.#greet(wire), failure])
      // It may have been lost between the last reply and this turn.
      if (failed) await failure
    } catch (error) {
      wire?.drop()
      this.#missed(redacted(error, where))
      return
    } finally {
      stopWaiting()
      this.#opening = undefined
      failure.catch(() => {})
    }
    if (this.#stopped) return wire.drop()
    this.wire = wire
    this.#upSince = performance.now()
    this.#reported = ''
    this.#keeping.onUp(wire)
  }

  async #greet(wire: Wire): Promise<void> {
    if (this.#stopped) throw new RedisUnavailableError(`${this.#keeping.where}: the connection was closed`)
    await wire.open()
    await this.#keeping.greet(wire)
  }

  #missed(error: RedisError): void {
    if (this.#stopped) return
    this.#failures++
    // Nothing that is installed later is found by a process that looked for it before.
    if (error instanceof MissingPeerError) this.#stopped = true
    else this.#retryIn(backoff(this.#failures))
    this.#report(error)
    this.#keeping.onDown(error)
  }

  #retryIn(ms: number): void {
    // A process that has nothing else to do need not stay for a server that is gone.
    this.#retry = setTimeout(() => this.start(), ms).unref()
  }

  #report(error: RedisError): void {
    if (error.message === this.#reported) return
    this.#reported = error.message
    this.#keeping.onError(error)
  }
}
