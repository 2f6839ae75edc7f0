import { randomBytes, randomInt } from 'node:crypto'
import { decodeMessage, encodeMessage, Sequence, type Change, type Mechanisms } from '../coherence/index.js'
import type { RedisConnection, Subscription } from './clients/index.js'
import { ClosedError, RedisTimeoutError } from '../errors/index.js'
import { announceScript } from './scripts.js'

/** The counter of changes is kept alive by heartbeats and invalidations. Losing it only makes everybody forget. */
const SEQUENCE_TTL_MS = 86_400_000

/** Where a counter that was lost may begin anew. */
const LOWEST_SEED = 2 ** 40
const SEEDS = 2 ** 46
/** A prime, so that all of them come before one comes again: with every message another, and far from it. */
const SEED_STEP = 8_589_934_609

const HELLO_TIMEOUT_MS = 1000

export interface BusHandlers {
  /** Another process changed something. */
  onChange(change: Change): void
  /** Something was missed, or could have been. */
  onGap(): void
  /** What arrived makes no sense: somebody else writes to our channel. */
  onForeign(): void
  /** The connection broke. */
  onLost(): void
}

/** Tells all processes what to forget, in an order they agree on, and notices when it does not hear everything. */
export class Bus {
  readonly sequence = new Sequence()
  /** Distinguishes this cache from all others on the bus. */
  readonly self: string
  readonly #connection: RedisConnection
  readonly #channel: string
  readonly #handlers: BusHandlers
  #subscription: Promise<Subscription> | undefined
  #acknowledged = false
  /** From somewhere at random on: nobody knows what others begin with. */
  #seed = randomInt(SEEDS)
  #closed = false
  /** Those who wait until we hear ourselves. */
  readonly #listening = new Set<(error?: Error) => void>()
  /** Messages of our own that came back. */
  echoes = 0
  /** How often something was missing. */
  gaps = 0

  constructor(
    connection: RedisConnection,
    channel: string,
    readonly sequenceKey: string,
    serverId: string | undefined,
    readonly mechanisms: Pick<Mechanisms, 'sequence' | 'hello'>,
    handlers: BusHandlers,
  ) {
    this.#connection = connection
    this.#channel = channel
    this.#handlers = handlers
    this.self = `${serverId === undefined ? '' : `${serverId}~`}${randomBytes(9).toString('base64url')}`
  }

  /** What a script needs to announce a change: channel, message, how long the counter is kept, and where it begins should it be gone: at a number nobody has seen. */
  announcement(change: Change | undefined): string[] {
    return [this.#channel, encodeMessage({ sender: this.self, change }), ...this.counter()]
  }

  counter(): [ttl: string, seed: string] {
    this.#seed = LOWEST_SEED + ((this.#seed + SEED_STEP) % SEEDS)
    return [String(SEQUENCE_TTL_MS), String(this.#seed)]
  }

  async announce(change: Change | undefined, timeoutMs: number): Promise<void> {
    await this.#connection.run(announceScript, [this.sequenceKey], this.announcement(change), timeoutMs)
  }

  /**
   * Resolves when we hear what is said. The server's word that we are subscribed is not enough, since that connection may be dead by now: we listen for our own
   * voice, after every reconnection too. Until then nothing is confirmed.
   */
  async listen(timeoutMs: number): Promise<void> {
    if (this.#subscription === undefined) {
      this.#subscription = this.#subscribe()
      // It is tried again by whoever listens next; that we do not hear shows below.
      this.#subscription.catch(() => {})
    }
    if (this.sequence.position !== undefined) return
    const heard = this.#untilHeard(timeoutMs)
    // Not waited for when the announcement fails.
    heard.catch(() => {})
    if (!this.#acknowledged) return await heard
    await this.announce(undefined, timeoutMs)
    try {
      await heard
    } catch (error) {
      // It was said, so it is the hearing that is in trouble.
      this.recycle()
      throw error
    }
  }

  /** A change is missing, came out of turn, or makes no sense. */
  missed(): void {
    this.gaps++
    this.#handlers.onGap()
  }

  /** The connection seems dead though nobody said so. */
  recycle(): void {
    this.sequence.lose()
    this.#acknowledged = false
    this.#subscription?.then((subscription) => subscription.recycle(), () => {})
  }

  close(): void {
    this.#closed = true
    this.sequence.lose()
    this.#endListening(new ClosedError('The cache was closed'))
    this.#subscription?.then((subscription) => subscription.close(), () => {})
  }

  async #subscribe(): Promise<Subscription> {
    try {
      const subscription = await this.#connection.subscribe(this.#channel, {
        onMessage: (bytes) => this.#onMessage(bytes),
        onSubscribed: () => {
          this.#acknowledged = true
          this.sequence.lose()
          // What could not be said need not be waited for.
          this.announce(undefined, HELLO_TIMEOUT_MS).catch((error: Error) => this.#endListening(error))
        },
        onLost: () => {
          this.#acknowledged = false
          this.sequence.lose()
          this.#handlers.onLost()
        },
      })
      if (this.#closed) subscription.close()
      return subscription
    } catch (error) {
      this.#subscription = undefined
      throw error
    }
  }

  #endListening(error?: Error): void {
    for (const end of this.#listening) end(error)
  }

  #untilHeard(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error) => {
        clearTimeout(timer)
        this.#listening.delete(end)
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = setTimeout(() => end(new RedisTimeoutError('The messages of Redis do not reach this process')), timeoutMs)
      timer.unref()
      this.#listening.add(end)
    })
  }

  #onMessage(bytes: Buffer): void {
    const { number, message } = decodeMessage(bytes)
    if (number === undefined || message === undefined) this.#handlers.onForeign()
    if (number === undefined) return
    const isOwn = message?.sender === this.self
    if (isOwn) this.echoes++
    if (isOwn && message.change === undefined && this.sequence.position === undefined) {
      // What was said while we could not hear is behind us, and with it all we knew.
      if (this.mechanisms.hello) this.#handlers.onGap()
      this.sequence.begin(number)
      this.#endListening()
      return
    }
    const isNext = this.sequence.advance(number)
    if ((!isNext && this.mechanisms.sequence) || message === undefined) this.missed()
    else if (!isOwn && message.change !== undefined) this.#apply(message.change)
  }

  #apply(change: Change): void {
    try {
      this.#handlers.onChange(change)
    } catch {
      // A pattern that is none, say: no cache of ours has sent that, so nobody knows what it was about.
      this.#handlers.onForeign()
      this.missed()
    }
  }
}
