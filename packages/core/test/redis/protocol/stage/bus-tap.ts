import type { RedisConnection } from '../../../../src/redis/clients/index.js'

/**
 * Hears the channels of a Redis once for all processes of a test, so that each can be given what was said when the test says so. `caughtUp` tells that everything said
 * so far has been heard.
 */
export class BusTap {
  readonly #connection: RedisConnection
  readonly #heard = new Map<string, { readonly subscribed: Promise<unknown>; readonly listeners: Set<(message: Buffer) => void> }>()
  readonly #marks = new Map<string, () => void>()
  #lastMark = 0

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /** Resolves, once the channel is heard, to a function that ends it. */
  async listen(channel: string, listener: (message: Buffer) => void): Promise<() => void> {
    let heard = this.#heard.get(channel)
    if (heard === undefined) {
      const subscribed = this.#connection.subscribe(channel, { onMessage: (message) => this.#hear(channel, message), onSubscribed: () => {}, onLost: () => {} })
      heard = { subscribed, listeners: new Set() }
      this.#heard.set(channel, heard)
    }
    const { subscribed, listeners } = heard
    listeners.add(listener)
    await subscribed
    return () => listeners.delete(listener)
  }

  async caughtUp(): Promise<void> {
    await Promise.all([...this.#heard].map(([channel, { subscribed }]) => this.#caughtUpOn(channel, subscribed)))
  }

  async #caughtUpOn(channel: string, subscribed: Promise<unknown>): Promise<void> {
    await subscribed
    const mark = `mark ${++this.#lastMark}`
    const heard = new Promise<void>((resolve) => this.#marks.set(mark, resolve))
    await this.#connection.send(['PUBLISH', channel, mark], { route: channel, timeoutMs: 10_000 })
    await heard
  }

  #hear(channel: string, message: Buffer): void {
    const mark = message.toString()
    const reached = this.#marks.get(mark)
    this.#marks.delete(mark)
    if (reached !== undefined) reached()
    else for (const listener of this.#heard.get(channel)?.listeners ?? []) listener(message)
  }
}
