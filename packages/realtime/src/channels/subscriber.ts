import type { ChannelListener, PubSub } from './pub-sub.js'

/** Subscriptions that end together, such as those of one WebSocket. */
export class Subscriber {
  readonly #pubSub: PubSub
  readonly #ends = new Set<() => void>()
  #closed = false

  constructor(pubSub: PubSub) {
    this.#pubSub = pubSub
  }

  /** As `PubSub.subscribe`; also ended by `close`. */
  subscribe<Data = unknown>(channel: string, listener: ChannelListener<Data>): Promise<() => void> {
    // Another subscriber may hear the same channel with the same function.
    return this.#keep(this.#pubSub.subscribe<Data>(channel, (...message) => listener(...message)))
  }

  /** As `PubSub.subscribePattern`; also ended by `close`. */
  subscribePattern<Data = unknown>(pattern: string, listener: ChannelListener<Data>): Promise<() => void> {
    return this.#keep(this.#pubSub.subscribePattern<Data>(pattern, (...message) => listener(...message)))
  }

  close(): void {
    this.#closed = true
    for (const end of this.#ends) end()
  }

  async #keep(subscribed: Promise<() => void>): Promise<() => void> {
    const unsubscribe = await subscribed
    const end = () => {
      this.#ends.delete(end)
      unsubscribe()
    }
    this.#ends.add(end)
    if (this.#closed) end()
    return end
  }
}
