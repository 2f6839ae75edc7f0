import { RedisRefusedError, RedisUnavailableError, type RedisError } from '../../errors/index.js'
import { startDeadline } from './deadline.js'
import { Exchange } from './exchange.js'
import { Keeper } from './keeper.js'
import { redacted } from './redaction.js'
import type { MasterNode } from './redis-connection.js'
import type { Argument, Reply } from './reply.js'
import { Unanswered } from './unanswered.js'
import type { Wire } from './wire.js'

/** Beyond it a command is refused at once: a server that does not answer must not fill the memory of its clients. */
const MOST_UNANSWERED = 50_000

/**
 * A wire that owes replies and has given none between two looks, this far apart, is dead: at the latest after twice this.
 * It costs no traffic, so that an idle process sends nothing; the clients' own way, pings, would.
 */
const STALLED_MS = 5000
/** As long while nobody can use the server anyway. Shorter would take one for dead that is only slow, and connecting anew makes it slower. */
const SILENT_MS = 1000

let connectionsMade = 0

export interface LineOptions {
  readonly where: string
  readonly connectTimeoutMs: number
  dial(lost: (reason: unknown) => void): Wire | Promise<Wire>
  onError(error: RedisError): void
  /** After every loss and every failed attempt. */
  onDown?(error: RedisError): void
}

/**
 * Commands to one server, over one wire after another. A command goes out once: what was in flight when a wire is lost
 * fails, and what is sent while there is none fails at once, except before the outcome of the first attempt is known.
 */
export class Line implements MasterNode {
  connection = 0
  readonly #where: string
  readonly #keeper: Keeper
  readonly #options: LineOptions
  /** Everything that is not settled, and what the wire still owes a reply though its caller has gone. */
  readonly #unanswered: Unanswered
  /** Commands wait for the outcome of the first attempt: none was sent yet. */
  #isFirst = true
  #down: RedisError
  #answers = 0
  #answersSeen = 0
  #look: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(options: LineOptions) {
    this.#options = options
    this.#where = options.where
    this.#unanswered = new Unanswered(options.where)
    this.#down = new RedisUnavailableError(`${options.where}: not connected`)
    this.#keeper = new Keeper({
      where: options.where,
      connectTimeoutMs: options.connectTimeoutMs,
      dial: options.dial,
      greet: probe,
      onUp: () => this.#onUp(),
      onDown: (error) => this.#onDown(error),
      onError: options.onError,
    })
    this.#keeper.start()
  }

  get id(): string {
    return this.#where
  }

  get isUp(): boolean {
    return this.#keeper.wire !== undefined && this.#closing === undefined
  }

  send(args: readonly Argument[], timeoutMs: number): Promise<Reply> {
    if (this.#closing !== undefined) return Promise.reject(new RedisUnavailableError(`${this.#where}: the connection was closed`))
    const { wire } = this.#keeper
    if (wire === undefined && !this.#isFirst) return Promise.reject(this.#whileDown())
    if (this.#unanswered.size >= MOST_UNANSWERED) {
      return Promise.reject(new RedisUnavailableError(`${this.#where}: ${MOST_UNANSWERED} commands wait for their replies already`))
    }
    const exchange = new Exchange(args, timeoutMs)
    this.#unanswered.add(exchange)
    if (wire !== undefined) this.#put(exchange, wire)
    return exchange.promise
  }

  recycle(): void {
    this.#keeper.recycle(new RedisUnavailableError(`${this.#where}: the connection was replaced`))
  }

  /** Only if it has given nothing since it was asked something, a second ago or more. */
  recycleIfSilent(): void {
    const { oldest } = this.#unanswered
    if (oldest === undefined || oldest.repliesBefore !== this.#answers) return
    if (performance.now() - (oldest.dueAt - oldest.timeoutMs) >= SILENT_MS) this.recycle()
  }

  /** Waits for what is in flight, at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#keeper.retire()
    const closed = new RedisUnavailableError(`${this.#where}: the connection was closed before the reply came`)
    if (this.#isFirst) this.#unanswered.failAll(closed)
    if (this.#unanswered.size > 0) await this.#drained(timeoutMs)
    this.#keeper.drop()
    this.#unanswered.failAll(closed)
    clearTimeout(this.#look)
  }

  async #drained(timeoutMs: number): Promise<void> {
    let stopWaiting = () => {}
    const late = new Promise<void>((resolve) => {
      stopWaiting = startDeadline(timeoutMs, resolve)
    })
    await Promise.race([late, Promise.allSettled(this.#unanswered.all().map(({ promise }) => promise))])
    stopWaiting()
  }

  #put(exchange: Exchange, wire: Wire): void {
    this.#watch()
    exchange.repliesBefore = this.#answers
    wire.send(exchange.args).then(
      (reply) => this.#answered(exchange).answer(reply),
      (error: unknown) => this.#answered(exchange).fail(redacted(error, this.#where)),
    )
  }

  #answered(exchange: Exchange): Exchange {
    this.#unanswered.delete(exchange)
    this.#answers++
    return exchange
  }

  #onUp(): void {
    this.connection = ++connectionsMade
    if (!this.#isFirst) return
    this.#isFirst = false
    for (const exchange of this.#unanswered.all()) {
      const { wire } = this.#keeper
      // By its deadline, or since the wire is gone again.
      if (exchange.settled || wire === undefined) this.#unanswered.delete(exchange)
      else this.#put(exchange, wire)
    }
  }

  #onDown(error: RedisError): void {
    this.#down = error
    clearTimeout(this.#look)
    this.#look = undefined
    this.#isFirst = false
    this.#unanswered.failAll(error)
    this.#options.onDown?.(error)
  }

  /** A fresh error for every caller, so that its stack is the caller's. */
  #whileDown(): RedisError {
    const down = this.#down
    if (down instanceof RedisRefusedError) return new RedisRefusedError(down.reply, down.message)
    return down instanceof RedisUnavailableError ? new RedisUnavailableError(down.message) : down
  }

  #watch(): void {
    if (this.#look !== undefined) return
    this.#answersSeen = this.#answers
    this.#look = setTimeout(() => {
      // Replies that lie ready after a pause of the process are read first.
      setImmediate(() => {
        this.#look = undefined
        if (this.#unanswered.size === 0 || this.#keeper.wire === undefined) return
        if (this.#answers === this.#answersSeen) this.#keeper.fail(new RedisUnavailableError(`${this.#where}: it stopped answering`))
        else this.#watch()
      })
    }, STALLED_MS).unref()
  }
}

/**
 * The same proof of life for every client: some count a connection as ready before the server has accepted the password,
 * or while it is still loading. A user who may not PING is connected all the same.
 */
export async function probe(wire: Wire): Promise<void> {
  try {
    await wire.send(['PING'])
  } catch (error) {
    const refusal = redacted(error, '')
    if (!(refusal instanceof RedisRefusedError) || refusal.reply !== 'permission') throw error
  }
}
