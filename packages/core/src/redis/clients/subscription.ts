import { RedisRefusedError, RedisUnavailableError, type RedisError } from '../../errors/index.js'
import { Keeper } from './keeper.js'
import { probe } from './line.js'
import { redacted } from './redaction.js'
import type { ChannelName, Wire } from './wire.js'

export interface SubscriptionHandlers {
  /**
   * Every message, in the order it came. Not before `onSubscribed`. `pattern` is the one by which it came, if it was not the channel's own name: a message may
   * come by each.
   */
  onMessage(message: Buffer, channel: string, pattern: string | undefined): void
  /** After each acknowledgement by the server: the first, and one after every reconnection. */
  onSubscribed(): void
  /** The connection is gone, or being replaced: messages are missed from now on. Not after `close`. */
  onLost(): void
}

/** A subscription over a connection of its own: to one channel, and to what is added. */
export interface Subscription {
  /**
   * One channel more, or all that match a glob. Resolves when the server has acknowledged it, however long that takes; rejects when the server refuses it, or
   * when it is removed or the subscription closed before. What is added twice is there once.
   */
  add(name: string, options?: { readonly isPattern?: boolean }): Promise<void>
  remove(name: string, options?: { readonly isPattern?: boolean }): void
  /** Drops the connection and makes a new one. */
  recycle(): void
  close(): void
}

export interface SubscribeOptions {
  readonly where: string
  readonly connectTimeoutMs: number
  readonly channel: string | undefined
  readonly handlers: SubscriptionHandlers
  dial(lost: (reason: unknown) => void): Wire | Promise<Wire>
  onError(error: RedisError): void
  onClosed(): void
}

/** What one wire was told. Two may be made at the same time, of which one is dropped. */
interface Told {
  /** Names it knows or is being told: one that was removed and added again is another. */
  readonly names: Map<string, { readonly name: ChannelName; readonly telling: Promise<void> }>
  /** Those it is being told to leave: node-redis loses a channel that is subscribed again before it has left it. */
  readonly leaving: Map<string, Promise<void>>
  /** Messages that came with the acknowledgement, before its promise could tell. `undefined` from then on. */
  early: (readonly [message: Buffer, channel: string, pattern: string | undefined])[] | undefined
}

/** Channels kept subscribed for ever. A wire is up only once the server has acknowledged the subscriptions on it. */
export class ChannelSubscription implements Subscription {
  /** Resolves at the first acknowledgement, rejects when it is closed before. */
  readonly subscribed: Promise<void>

  readonly #where: string
  readonly #keeper: Keeper
  readonly #handlers: SubscriptionHandlers
  readonly #names = new Map<string, ChannelName>()
  readonly #told = new WeakMap<Wire, Told>()
  readonly #onClosed: () => void
  readonly #refuse: (error: RedisError) => void
  /** Settles with the next wire, for those that are added while there is none. */
  #nextWire: Promise<void> | undefined
  #endWait = () => {}
  #wasUp = false
  #closed = false

  constructor({ where, connectTimeoutMs, channel, handlers, dial, onError, onClosed }: SubscribeOptions) {
    this.#where = where
    this.#handlers = handlers
    if (channel !== undefined) this.#names.set(idOf(channel, false), { name: channel, isPattern: false })
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
        await Promise.all(Array.from(this.#names.values(), (name) => this.#tell(wire, name)))
      },
      onUp: (wire) => {
        const told = this.#toldOf(wire)
        const { early = [] } = told
        told.early = undefined
        this.#wasUp = true
        handlers.onSubscribed()
        acknowledge()
        for (const message of early) deliver(handlers, ...message)
        this.#proceed()
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

  async add(name: string, { isPattern = false } = {}): Promise<void> {
    const id = idOf(name, isPattern)
    const added = this.#names.get(id) ?? { name, isPattern }
    this.#names.set(id, added)
    while (!this.#closed && this.#names.get(id) === added) {
      const { wire } = this.#keeper
      if (wire === undefined) {
        await (this.#nextWire ??= new Promise((resolve) => (this.#endWait = resolve)))
        continue
      }
      try {
        await this.#tell(wire, added)
        return
      } catch (error) {
        // When the wire was lost, the next one is told; a refusal would be the same there, and take the other names along.
        const refusal = redacted(error, this.#where)
        if (refusal instanceof RedisRefusedError) {
          this.#names.delete(id)
          throw refusal
        }
        if (this.#keeper.wire === wire) this.recycle()
      }
    }
    throw new RedisUnavailableError(`${this.#where}: the subscription was ended`)
  }

  remove(name: string, { isPattern = false } = {}): void {
    const id = idOf(name, isPattern)
    if (!this.#names.delete(id)) return
    const { wire } = this.#keeper
    if (wire === undefined) return
    const { names, leaving } = this.#toldOf(wire)
    const known = names.get(id)
    names.delete(id)
    if (known === undefined) return
    const left = known.telling
      .then(() => wire.unsubscribe({ name, isPattern }))
      .catch(() => {})
      .finally(() => {
        if (leaving.get(id) === left) leaving.delete(id)
      })
    leaving.set(id, left)
  }

  recycle(): void {
    this.#keeper.recycle(new RedisUnavailableError(`${this.#where}: the connection was replaced`))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClosed()
    this.#keeper.drop()
    this.#proceed()
    this.#refuse(new RedisUnavailableError(`${this.#where}: the connection was closed`))
  }

  #proceed(): void {
    this.#nextWire = undefined
    this.#endWait()
  }

  #toldOf(wire: Wire): Told {
    const known = this.#told.get(wire)
    if (known !== undefined) return known
    const told: Told = { names: new Map(), leaving: new Map(), early: [] }
    this.#told.set(wire, told)
    return told
  }

  /** Once for each name and wire. */
  #tell(wire: Wire, name: ChannelName): Promise<void> {
    const told = this.#toldOf(wire)
    const { names, leaving } = told
    const id = idOf(name.name, name.isPattern)
    const known = names.get(id)
    if (known?.name === name) return known.telling
    const onMessage = (message: Buffer, channel: string) => {
      if (this.#names.get(id) !== name) return
      const pattern = name.isPattern ? name.name : undefined
      // A wire that was dropped may still have something to tell: that goes nowhere.
      if (this.#keeper.wire === wire) deliver(this.#handlers, message, channel, pattern)
      else told.early?.push([message, channel, pattern])
    }
    const left = leaving.get(id)
    const telling = left === undefined ? wire.subscribe(name, onMessage) : left.then(() => wire.subscribe(name, onMessage))
    names.set(id, { name, telling })
    return telling
  }
}

/** A channel may be called like a pattern. */
function idOf(name: string, isPattern: boolean): string {
  return isPattern ? `*${name}` : `=${name}`
}

/** A handler's failure must not disturb the client that is decoding replies: it surfaces as any event handler's does. */
function deliver(handlers: SubscriptionHandlers, message: Buffer, channel: string, pattern: string | undefined): void {
  try {
    handlers.onMessage(message, channel, pattern)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
