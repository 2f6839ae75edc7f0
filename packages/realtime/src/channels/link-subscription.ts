import type { RedisLink, Subscription } from '@tiercel/core/connection'
import type { BusName } from './bus.js'

type OnMessage = (message: Buffer, channel: string, pattern: string | undefined) => void

/** One connection for messages of all names, made when the first is added and kept whatever happens to it. */
export class LinkSubscription {
  readonly #link: RedisLink
  readonly #onMessage: OnMessage
  #subscription: Promise<Subscription> | undefined

  constructor(link: RedisLink, onMessage: OnMessage) {
    this.#link = link
    this.#onMessage = onMessage
  }

  /** Resolves when messages arrive from now on, however long that takes. */
  async add({ name, isPattern }: BusName): Promise<void> {
    this.#subscription ??= this.#open()
    const subscription = await this.#subscription
    await subscription.add(name, { isPattern })
  }

  /** Also while the first connection is waited for: what was asked before it is done before it. */
  remove({ name, isPattern }: BusName): void {
    this.#subscription?.then(
      (subscription) => subscription.remove(name, { isPattern }),
      () => {},
    )
  }

  close(): void {
    this.#subscription?.then(
      (subscription) => subscription.close(),
      () => {},
    )
  }

  #open(): Promise<Subscription> {
    return this.#link.subscribe(undefined, { onMessage: this.#onMessage, onSubscribed: () => {}, onLost: () => {} })
  }
}
