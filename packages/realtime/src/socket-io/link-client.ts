import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import type { RedisLink } from '@tiercel/core/connection'
import { LinkSubscription } from '../channels/link-subscription.js'

type Listener = (message: Buffer, channel: string) => void

/**
 * What `@socket.io/redis-adapter` uses of a client of node-redis, on a link: with its deadlines, and nothing that rejects where nobody listens. While Redis is away
 * nobody is told and there is one server: this one.
 */
export class LinkClient {
  protected readonly link: RedisLink
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #subscription: LinkSubscription
  /** All that were begun, and why one was refused. */
  #subscribing: Promise<unknown> = Promise.resolve()

  constructor(link: RedisLink) {
    this.link = link
    this.#subscription = new LinkSubscription(link, (message, channel, pattern) => {
      for (const listener of this.#listeners.get(pattern === undefined ? idOf(channel, false) : idOf(pattern, true)) ?? []) listener(message, channel)
    })
  }

  /** Its errors are the link's business. */
  on(): this {
    return this
  }

  off(): this {
    return this
  }

  async publish(channel: string, message: string | Uint8Array): Promise<number> {
    const bytes = typeof message === 'string' ? message : Buffer.from(message.buffer, message.byteOffset, message.byteLength)
    const count = await this.link.send(['PUBLISH', channel, bytes], { route: channel }).catch(() => 0)
    return Number(count)
  }

  async subscribe(channels: string | readonly string[], listener: Listener): Promise<void> {
    await Promise.all([channels].flat().map((channel) => this.#add(channel, false, listener)))
  }

  async pSubscribe(pattern: string, listener: Listener): Promise<void> {
    await this.#add(pattern, true, listener)
  }

  /**
   * Resolves when Redis has taken what was subscribed, or after the deadline; while it is away at once.
   *
   * @throws {RedisRefusedError} Nobody else would say that messages of others do not arrive.
   */
  async subscribed(): Promise<void> {
    if (this.link.state === 'outage') return
    // The adapter for streams awaits its clients, which are there at once, before it subscribes.
    await turn()
    const late = new AbortController()
    try {
      await Promise.race([this.#subscribing, delay(this.link.deadlineMs, undefined, { signal: late.signal })])
    } finally {
      late.abort()
    }
  }

  unsubscribe(channels: string | readonly string[], listener: Listener): Promise<void> {
    for (const channel of [channels].flat()) this.#remove(channel, false, listener)
    return Promise.resolve()
  }

  pUnsubscribe(pattern: string, listener: Listener): Promise<void> {
    this.#remove(pattern, true, listener)
    return Promise.resolve()
  }

  /** By this the adapters know which kind of client it is. It is called only by those that are told to use sharded channels. */
  sSubscribe(): Promise<never> {
    return Promise.reject(new Error('Sharded channels are not supported'))
  }

  /** PUBSUB NUMSUB: in a cluster the sum over its servers. */
  async sendCommand(command: readonly string[]): Promise<[string, number]> {
    const channel = command[2] ?? ''
    try {
      const nodes = await this.link.masters()
      const replies = await Promise.all(nodes.map((node) => node.send(command, this.link.deadlineMs)))
      return [channel, replies.reduce<number>((sum, reply) => sum + (Array.isArray(reply) ? Number(reply[1]) : 0), 0)]
    } catch {
      return [channel, 1]
    }
  }

  async close(): Promise<void> {
    this.#subscription.close()
  }

  async #add(name: string, isPattern: boolean, listener: Listener): Promise<void> {
    const id = idOf(name, isPattern)
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners.add(listener))
    // It is subscribed when Redis is there, and the adapter does not wait for it.
    const added = this.#subscription.add({ name, isPattern })
    const before = this.#subscribing
    this.#subscribing = added.then(() => before)
    this.#subscribing.catch(() => {})
    await added.catch(() => {})
  }

  #remove(name: string, isPattern: boolean, listener: Listener): void {
    const id = idOf(name, isPattern)
    const listeners = this.#listeners.get(id)
    listeners?.delete(listener)
    if (listeners?.size !== 0) return
    this.#listeners.delete(id)
    this.#subscription.remove({ name, isPattern })
  }
}

/** A channel may be called like a pattern. */
function idOf(name: string, isPattern: boolean): string {
  return isPattern ? `*${name}` : `=${name}`
}
