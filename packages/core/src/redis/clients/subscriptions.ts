import { RedisUnavailableError } from '../../errors/index.js'
import type { ConnectionOptions } from './redis-connection.js'
import { ChannelSubscription, type Subscription, type SubscriptionHandlers } from './subscription.js'
import type { Wire } from './wire.js'

/** All subscriptions of a connection, to be closed with it. */
export class Subscriptions {
  readonly #where: string
  readonly #options: ConnectionOptions
  readonly #open = new Set<ChannelSubscription>()
  #closed = false

  constructor(where: string, options: ConnectionOptions) {
    this.#where = where
    this.#options = options
  }

  async add(channel: string | undefined, handlers: SubscriptionHandlers, dial: (lost: (reason: unknown) => void) => Wire | Promise<Wire>): Promise<Subscription> {
    if (this.#closed) throw new RedisUnavailableError(`${this.#where}: the connection was closed`)
    const subscription = new ChannelSubscription({
      where: this.#where,
      connectTimeoutMs: this.#options.connectTimeoutMs,
      channel,
      handlers,
      dial,
      onError: (error) => this.#options.onError(error),
      onClosed: () => this.#open.delete(subscription),
    })
    this.#open.add(subscription)
    await subscription.subscribed
    return subscription
  }

  close(): void {
    this.#closed = true
    for (const subscription of this.#open) subscription.close()
  }
}
