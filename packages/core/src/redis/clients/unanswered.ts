import { BriefMap } from '../../coherence/index.js'
import { RedisTimeoutError, type RedisError } from '../../errors/index.js'
import { startDeadline } from './deadline.js'
import type { Exchange } from './exchange.js'

/**
 * The exchanges that wait for a reply, in the order they were sent in. Their deadlines share one timer, which is left to run when they are answered: nearly all are, and
 * a timer for each would cost more than the rest of the exchange.
 */
export class Unanswered {
  readonly #exchanges = new BriefMap<Exchange, true>()
  readonly #where: string
  #timerDueAt = Number.POSITIVE_INFINITY
  #stopTimer: () => void = () => {}

  constructor(where: string) {
    this.#where = where
  }

  get size(): number {
    return this.#exchanges.size
  }

  get oldest(): Exchange | undefined {
    for (const exchange of this.#exchanges.keys()) return exchange
    return undefined
  }

  all(): Exchange[] {
    return [...this.#exchanges.keys()]
  }

  add(exchange: Exchange): void {
    this.#exchanges.set(exchange, true)
    if (exchange.dueAt < this.#timerDueAt) this.#timeUntil(exchange.dueAt)
  }

  /** A caller may have gone before: what it asked was counted until now. */
  delete(exchange: Exchange): void {
    this.#exchanges.delete(exchange)
  }

  failAll(error: RedisError): void {
    for (const exchange of this.all()) {
      exchange.fail(error)
      this.delete(exchange)
    }
    this.#timerDueAt = Number.POSITIVE_INFINITY
    this.#stopTimer()
  }

  #timeUntil(dueAt: number): void {
    this.#stopTimer()
    this.#timerDueAt = dueAt
    // Idle: as long as somebody waits there is a socket that keeps the process alive.
    this.#stopTimer = startDeadline(dueAt - performance.now(), () => this.#expire(), true)
  }

  #expire(): void {
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const exchange of this.all()) {
      if (exchange.settled) continue
      if (exchange.dueAt > now) next = Math.min(next, exchange.dueAt)
      else exchange.fail(new RedisTimeoutError(`${this.#where}: no reply within ${Math.max(1, Math.round(exchange.timeoutMs))} ms`))
    }
    this.#timerDueAt = next
    if (next < Number.POSITIVE_INFINITY) this.#timeUntil(next)
  }
}
