import type { RedisLink, Subscription } from '@tiercel/core/connection'
import type { Bus, BusName } from './bus.js'

/** One connection for all names, made when the first is added and kept whatever happens to it. */
export class LinkBus implements Bus {
  onMessage: Bus['onMessage'] = () => {}
  readonly #link: RedisLink
  /** What is wanted now: while the first connection is waited for, that may change. */
  readonly #wanted = new Set<string>()
  #subscription: Promise<Subscription> | undefined
  #closed = false

  constructor(link: RedisLink) {
    this.#link = link
  }

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

  async publish(channel: string, message: string): Promise<void> {
    await this.#link.send(['PUBLISH', channel, message], { route: channel })
  }

  close(): void {
    this.#closed = true
    this.#subscription?.then(
      (subscription) => subscription.close(),
      () => {},
    )
  }

  async #open(): Promise<Subscription> {
    const subscription = await this.#link.subscribe(undefined, {
      onMessage: (message, channel, pattern) => this.onMessage(String(message), channel, pattern),
      onSubscribed: () => {},
      onLost: () => {},
    })
    if (this.#closed) subscription.close()
    return subscription
  }
}

/** A channel may be called like a pattern. */
function idOf(name: string, isPattern: boolean): string {
  return isPattern ? `*${name}` : `=${name}`
}
