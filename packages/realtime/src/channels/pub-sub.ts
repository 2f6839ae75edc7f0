import { randomUUID } from 'node:crypto'
import { ClosedError, InvalidArgumentError } from '@tiercel/core'
import { globMatcher } from '@tiercel/core/connection'
import type { Bus, BusName } from './bus.js'
import { decodeMessage, encodeMessage, type Message } from './message.js'
import { Subscriber } from './subscriber.js'

/** From whom a message came. */
export interface MessageOrigin {
  /** The `serverId` of the sender. `undefined`: something else than this package has sent it. */
  readonly serverId: string | undefined
  /** The pattern by which it came. */
  readonly pattern?: string
}

export type ChannelListener<Data = unknown> = (data: Data, channel: string, origin: MessageOrigin) => void

export interface PubSubSettings {
  readonly bus: Bus
  readonly prefix: string
  readonly serverId: string
  /** How long a subscription waits for Redis. */
  readonly deadlineMs: number
  /** Whether it is known that Redis does not answer. */
  isAway(): boolean
  /** Resolves with the first connection or the first deadline. */
  ready(): Promise<unknown>
}

interface Hearing {
  readonly listeners: Set<ChannelListener<never>>
  /** Whether the pattern matches. */
  matches(channel: string): boolean
}

/** Who hears, by channel or by pattern. */
interface Names {
  readonly isPattern: boolean
  readonly hearing: Map<string, Hearing>
}

/**
 * Channels between processes, and within one.
 *
 * Who subscribes in the publishing process hears a message from the process itself, at once and whether Redis is there or not; its echo from Redis is left out.
 * So each listener hears each message once, and those of one publisher in the order they were published.
 */
export class PubSub {
  readonly #settings: PubSubSettings
  readonly #instance = randomUUID()
  readonly #channels: Names = { isPattern: false, hearing: new Map() }
  readonly #patterns: Names = { isPattern: true, hearing: new Map() }
  #closed = false

  constructor(settings: PubSubSettings) {
    this.#settings = settings
    settings.bus.onMessage = (text, channel, pattern) => this.#arrive(text, channel, pattern)
  }

  /** Resolves with the first connection to Redis or the first deadline. It need not be called. */
  async initialize(): Promise<void> {
    await this.#settings.ready()
  }

  /**
   * Hears a channel. Several listeners of one channel are independent; the same one twice is there once. Resolves when messages of other processes arrive; while
   * Redis is away at once, and they arrive when it is back.
   *
   * @returns A function that ends it, as `unsubscribe` with both arguments does.
   */
  subscribe<Data = unknown>(channel: string, listener: ChannelListener<Data>): Promise<() => void> {
    return this.#add(this.#channels, channel, listener)
  }

  /** As `subscribe`, for all channels that match a glob: `room:*`. */
  subscribePattern<Data = unknown>(pattern: string, listener: ChannelListener<Data>): Promise<() => void> {
    return this.#add(this.#patterns, pattern, listener)
  }

  /** Ends one listener of a channel, or all of them. */
  unsubscribe(channel: string, listener?: ChannelListener<never>): void {
    this.#remove(this.#channels, channel, listener)
  }

  unsubscribePattern(pattern: string, listener?: ChannelListener<never>): void {
    this.#remove(this.#patterns, pattern, listener)
  }

  /**
   * Tells all listeners of this process, and then those of others.
   *
   * @returns Whether Redis took it for the others. Without Redis there are none, and it is `true`.
   * @throws {InvalidArgumentError} for what cannot be written as JSON; {@link ClosedError} after `close`.
   */
  async publish(channel: string, data: unknown): Promise<boolean> {
    this.#check(channel)
    const text = encodeMessage(data, { serverId: this.#settings.serverId, instance: this.#instance })
    // What listeners are given here is what they would be given elsewhere: a copy, without what JSON leaves out.
    queueMicrotask(() => this.#deliver(channel, decodeMessage(text)))
    try {
      await this.#settings.bus.publish(this.#settings.prefix + channel, text)
      return true
    } catch {
      return false
    }
  }

  /** A set of subscriptions that end together. */
  createSubscriber(): Subscriber {
    return new Subscriber(this)
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#closed = true
    for (const { hearing } of [this.#channels, this.#patterns]) hearing.clear()
    this.#settings.bus.close()
  }

  async #add(names: Names, name: string, listener: ChannelListener<never>): Promise<() => void> {
    this.#check(name)
    if (typeof listener !== 'function') throw new InvalidArgumentError('A listener must be a function')
    const hearing = names.hearing.get(name) ?? { listeners: new Set(), matches: names.isPattern ? globMatcher(name) : (channel) => channel === name }
    hearing.listeners.add(listener)
    names.hearing.set(name, hearing)
    const end = () => this.#remove(names, name, listener)
    try {
      await this.#inTime(this.#settings.bus.add(this.#onBus(names, name)))
    } catch (error) {
      end()
      throw error
    }
    return end
  }

  /** While Redis is away nobody waits for it: a subscription is made when it is back. */
  async #inTime(added: Promise<void>): Promise<void> {
    if (this.#settings.isAway()) return void added.catch(() => {})
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#settings.deadlineMs)
    })
    try {
      await Promise.race([added, late])
    } finally {
      clearTimeout(timer)
    }
  }

  #remove(names: Names, name: string, listener: ChannelListener<never> | undefined): void {
    const listeners = names.hearing.get(name)?.listeners
    if (listeners === undefined) return
    if (listener === undefined) listeners.clear()
    else listeners.delete(listener)
    if (listeners.size > 0) return
    names.hearing.delete(name)
    this.#settings.bus.remove(this.#onBus(names, name))
  }

  #arrive(text: string, channel: string, pattern: string | undefined): void {
    const message = decodeMessage(text)
    // Here it was heard before it left.
    if (message.instance === this.#instance) return
    const { prefix } = this.#settings
    const name = channel.slice(prefix.length)
    if (pattern === undefined) tell(this.#channels.hearing.get(name), message, name)
    else tell(this.#patterns.hearing.get(pattern.slice(prefix.length)), message, name, pattern.slice(prefix.length))
  }

  #deliver(channel: string, message: Message): void {
    tell(this.#channels.hearing.get(channel), message, channel)
    for (const [pattern, hearing] of this.#patterns.hearing) if (hearing.matches(channel)) tell(hearing, message, channel, pattern)
  }

  #onBus({ isPattern }: Names, name: string): BusName {
    return { name: this.#settings.prefix + name, isPattern }
  }

  #check(name: unknown): void {
    if (this.#closed) throw new ClosedError('The channels were closed')
    if (typeof name !== 'string' || name === '') throw new InvalidArgumentError('A channel is a string that is not empty')
  }
}

/** One listener's failure must not keep the message from the others: it surfaces as any event handler's does. */
function tell(hearing: Hearing | undefined, { data, serverId }: Message, channel: string, pattern?: string): void {
  for (const listener of Array.from(hearing?.listeners ?? [])) {
    try {
      listener(data as never, channel, { serverId, ...(pattern === undefined ? undefined : { pattern }) })
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
