import type { RedisLink, Subscription } from '@tiercel/core/connection'

type Listener = (message: Buffer, channel: string) => void

/**
 * What `@socket.io/redis-adapter` uses of a client of node-redis, on a link: with its deadlines, and nothing that rejects where nobody listens. While Redis is away
 * nobody is told and there is one server: this one.
 */
export class LinkClient {
  readonly #link: RedisLink
  readonly #listeners = new Map<string, Set<Listener>>()
  #subscription: Promise<Subscription> | undefined
  #closed = false

  constructor(link: RedisLink) {
    this.#link = link
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
    const count = await this.#link.send(['PUBLISH', channel, bytes], { route: channel }).catch(() => 0)
    return Number(count)
  }

  async subscribe(channels: string | readonly string[], listener: Listener): Promise<void> {
    await Promise.all([channels].flat().map((channel) => this.#add(channel, false, listener)))
  }

  async pSubscribe(pattern: string, listener: Listener): Promise<void> {
    await this.#add(pattern, true, listener)
  }

  async unsubscribe(channels: string | readonly string[], listener: Listener): Promise<void> {
    await Promise.all([channels].flat().map((channel) => this.#remove(channel, false, listener)))
  }

  async pUnsubscribe(pattern: string, listener: Listener): Promise<void> {
    await this.#remove(pattern, true, listener)
  }

  /** By this the adapter knows which kind of client it is. It is only called by its other adapter. */
  sSubscribe(): Promise<never> {
    return Promise.reject(new Error('Sharded channels are not supported'))
  }

  /** PUBSUB NUMSUB: in a cluster the sum over its servers. */
  async sendCommand(command: readonly string[]): Promise<[string, number]> {
    const channel = command[2] ?? ''
    try {
      const nodes = await this.#link.masters()
      const replies = await Promise.all(nodes.map((node) => node.send(command, this.#link.deadlineMs)))
      return [channel, replies.reduce<number>((sum, reply) => sum + (Array.isArray(reply) ? Number(reply[1]) : 0), 0)]
    } catch {
      return [channel, 1]
    }
  }

  close(): void {
    this.#closed = true
    this.#subscription?.then(
      (subscription) => subscription.close(),
      () => {},
    )
  }

  async #add(name: string, isPattern: boolean, listener: Listener): Promise<void> {
    const id = idOf(name, isPattern)
    const listeners = this.#listeners.get(id) ?? new Set()
    this.#listeners.set(id, listeners.add(listener))
    this.#subscription ??= this.#open()
    // It is subscribed when Redis is there, and the adapter does not wait for it.
    await this.#subscription.then((subscription) => (this.#listeners.has(id) ? subscription.add(name, { isPattern }) : undefined)).catch(() => {})
  }

  async #remove(name: string, isPattern: boolean, listener: Listener): Promise<void> {
    const id = idOf(name, isPattern)
    const listeners = this.#listeners.get(id)
    listeners?.delete(listener)
    if (listeners?.size !== 0) return
    this.#listeners.delete(id)
    await this.#subscription?.then((subscription) => subscription.remove(name, { isPattern })).catch(() => {})
  }

  async #open(): Promise<Subscription> {
    const subscription = await this.#link.subscribe(undefined, {
      onMessage: (message, channel, pattern) => {
        for (const listener of this.#listeners.get(pattern === undefined ? idOf(channel, false) : idOf(pattern, true)) ?? []) listener(message, channel)
      },
      onSubscribed: () => {},
      onLost: () => {},
    })
    if (this.#closed) subscription.close()
    return subscription
  }
}

function idOf(name: string, isPattern: boolean): string {
  return isPattern ? `*${name}` : `=${name}`
}
