import { RedisUnavailableError, type RedisError } from '../../errors/index.js'
import { Keeper } from './keeper.js'
import { probe } from './line.js'
import type { Wire } from './wire.js'

export interface SubscriptionHandlers {
  /** Every message, in the order it came. Not before `onSubscribed`. */
  onMessage(message: Buffer): void
  /** After each acknowledgement by the server: the first, and one after every reconnection. */
  onSubscribed(): void
  /** The connection is gone, or being replaced: messages are missed from now on. Not after `close`. */
  onLost(): void
}

/** A subscription to one channel over a connection of its own. */
export interface Subscription {
  /** Drops the connection and makes a new one. */
  recycle(): void
  close(): void
}

export interface SubscribeOptions {
  readonly where: string
  readonly connectTimeoutMs: number
  readonly channel: string
  readonly handlers: SubscriptionHandlers
  dial(lost: (reason: unknown) => void): Wire | Promise<Wire>
  onError(error: RedisError): void
  onClosed(): void
}

/** A channel kept subscribed for ever. A wire is up only once the server has acknowledged the subscription on it. */
export class ChannelSubscription implements Subscription {
  /** Resolves at the first acknowledgement, rejects when it is closed before. */
  readonly subscribed: Promise<void>

  readonly #where: string
  readonly #keeper: Keeper
  readonly #onClosed: () => void
  readonly #refuse: (error: RedisError) => void
  /** Messages that came with the acknowledgement, before its promise could tell. */
  #early: Buffer[] = []
  #wasUp = false
  #closed = false

  constructor({ where, connectTimeoutMs, channel, handlers, dial, onError, onClosed }: SubscribeOptions) {
    this.#where = where
    this.#onClosed = onClosed
    let acknowledge = () => {}
    let refuse: (error: RedisError) => void = () => {}
    this.subscribed = new Promise<void>((resolve, reject) => {
      acknowledge = resolve
      refuse = reject
    })
    this.#refuse = refuse
    this.#keeper = new Keeper({
      where,
      connectTimeoutMs,
      dial,
      greet: async (wire) => {
        await probe(wire)
        const early: Buffer[] = []
        this.#early = early
        await wire.subscribe(channel, (message) => {
          // A wire that was dropped may still have something to tell: that goes nowhere.
          if (this.#keeper.wire === wire) deliver(handlers, message)
          else if (this.#early === early) early.push(message)
        })
      },
      onUp: () => {
        const early = this.#early
        this.#early = []
        this.#wasUp = true
        handlers.onSubscribed()
        acknowledge()
        for (const message of early) deliver(handlers, message)
      },
      onDown: () => {
        if (!this.#wasUp || this.#closed) return
        this.#wasUp = false
        handlers.onLost()
      },
      onError,
    })
    this.#keeper.start()
  }

  recycle(): void {
    this.#keeper.recycle(new RedisUnavailableError(`${this.#where}: the connection was replaced`))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClosed()
    this.#keeper.drop()
    this.#refuse(new RedisUnavailableError(`${this.#where}: the connection was closed`))
  }
}

/** A handler's failure must not disturb the client that is decoding replies: it surfaces as any event handler's does. */
function deliver(handlers: SubscriptionHandlers, message: Buffer): void {
  try {
    handlers.onMessage(message)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
