import type { RedisLink } from '@tiercel/core/connection'
import type { Bus, BusName } from './bus.js'
import { LinkSubscription } from './link-subscription.js'

export class LinkBus implements Bus {
  onMessage: Bus['onMessage'] = () => {}
  readonly #link: RedisLink
  readonly #subscription: LinkSubscription

  constructor(link: RedisLink) {
    this.#link = link
    this.#subscription = new LinkSubscription(link, (message, channel, pattern) => this.onMessage(String(message), channel, pattern))
  }

  add(name: BusName): Promise<void> {
    return this.#subscription.add(name)
  }

  remove(name: BusName): void {
    this.#subscription.remove(name)
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#link.send(['PUBLISH', channel, message], { route: channel })
  }

  close(): void {
    this.#subscription.close()
  }
}
