import type { RedisLink, Subscription } from '@tiercel/core/connection'
import type { BusName } from './bus.js'

type OnMessage = (message: Buffer, channel: string, pattern: string | undefined) => void

/** One connection for messages of all names, made when the first is added and kept whatever happens to it. */
export class LinkSubscription {
  readonly #link: RedisLink
  readonly #onMessage: OnMessage
  /** What is wanted now: while the first connection is waited for, that may change. */
  readonly #wanted = new Set<string>()
  #subscription: Promise<Subscription> | undefined
  #closed = false

  constructor(link: RedisLink, onMessage: OnMessage) {
    this.#link = link
    this.#onMessage = onMessage
  }

  /** Resolves when messages arrive from now on, however long that takes. */
  async add({ name, isPattern }: BusName): Promise<void> {
    const id = idOf(name, isPattern)
    this.#wanted.add(id)
    this.#subscription ??= this.#open()
    const subscription = await this.#subscription
    if (this.#wanted.has(id)) await subscription.add(name, { isPattern })
  }

  remove({ name, isPattern }: BusName): void {
    const id = idOf(name, isPattern)
    this.#wanted.delete(id)
    this.#subscription?.then(
      (subscription) => this.#wanted.has(id) || subscription.remove(name, { isPattern }),
      () => {},
    )
  }

  close(): void {
    this.#closed = true
    this.#subscription?.then(
      (subscription) => subscription.close(),
      () => {},
    )
  }

  async #open(): Promise<Subscription> {
    const subscription = await this.#link.subscribe(undefined, { onMessage: this.#onMessage, onSubscribed: () => {}, onLost: () => {} })
    if (this.#closed) subscription.close()
    return subscription
  }
}

/** A channel may be called like a pattern. */
export function idOf(name: string, isPattern: boolean): string {
  return isPattern ? `*${name}` : `=${name}`
}
