import { RedisUnavailableError, type RedisError } from '../../errors/index.js'
import { startDeadline } from './deadline.js'
import { redacted } from './redaction.js'
import type { Wire } from './wire.js'

export interface Attempting {
  readonly where: string
  readonly connectTimeoutMs: number
  dial(lost: (reason: unknown) => void): Wire | Promise<Wire>
  /** What must succeed before an open wire counts as up. */
  greet(wire: Wire): Promise<void>
}

export interface AttemptHandlers {
  onUp(wire: Wire): void
  onFailed(error: RedisError): void
  /** The wire broke that was up. May come more than once. */
  onLost(wire: Wire, error: RedisError): void
}

/** One try to make a wire. Ends with the first of: it is up, it failed, its time is over, nobody wants it any more. */
export class Attempt {
  readonly startedAt = performance.now()
  readonly #attempting: Attempting
  readonly #handlers: AttemptHandlers
  readonly #failure: Promise<never>
  #fail: (reason: unknown) => void = () => {}
  #wire: Wire | undefined
  #hasFailed = false
  #isUnwanted = false
  #isUp = false

  constructor(attempting: Attempting, handlers: AttemptHandlers) {
    this.#attempting = attempting
    this.#handlers = handlers
    this.#failure = new Promise<never>((_, reject) => {
      this.#fail = (reason) => {
        this.#hasFailed = true
        reject(reason)
      }
    })
    this.#failure.catch(() => {})
  }

  /** Calls one of the handlers, never at once. */
  async run(): Promise<void> {
    const { where, connectTimeoutMs } = this.#attempting
    let stopWaiting = () => {}
    const lost = (reason: unknown) => {
      this.#fail(reason)
      if (this.#isUp && this.#wire !== undefined) this.#handlers.onLost(this.#wire, redacted(reason, where))
    }
    let wire: Wire
    try {
      wire = this.#wire = await Promise.race([this.#dial(lost), this.#failure])
      // Only now: loading a client is not connecting, and may take long on a busy machine.
      stopWaiting = startDeadline(connectTimeoutMs, () => this.#fail(new RedisUnavailableError(`${where}: it does not answer`)), true)
      await Promise.race([this.#greet(wire), this.#failure])
      // It may have been lost between the last reply and this turn.
      if (this.#hasFailed) await this.#failure
    } catch (error) {
      if (this.#isUnwanted) return
      this.#wire?.drop()
      this.#handlers.onFailed(redacted(error, where))
      return
    } finally {
      stopWaiting()
    }
    this.#isUp = true
    this.#handlers.onUp(wire)
  }

  /** Drops the wire. None of the handlers is called any more. */
  abandon(): void {
    this.#isUnwanted = true
    this.#fail(undefined)
    this.#wire?.drop()
  }

  async #dial(lost: (reason: unknown) => void): Promise<Wire> {
    return await this.#attempting.dial(lost)
  }

  async #greet(wire: Wire): Promise<void> {
    if (this.#hasFailed) return await this.#failure
    await wire.open()
    await this.#attempting.greet(wire)
  }
}
