/** The part of a socket that is used. */
export interface Corkable {
  cork?(): void
  uncork?(): void
}

/**
 * Lets what is written in one turn of the event loop leave in one piece, as node-redis does by itself. ioredis has a way
 * of its own, auto pipelining, but it holds the next batch back until the one before is answered: a round trip more.
 */
export class TickBuffer {
  readonly #socketNow: () => Corkable | null | undefined
  #corked = false

  constructor(socketNow: () => Corkable | null | undefined) {
    this.#socketNow = socketNow
  }

  /** Before a write. */
  hold(): void {
    if (this.#corked) return
    const socket = this.#socketNow()
    if (typeof socket?.cork !== 'function') return
    this.#corked = true
    socket.cork()
    setImmediate(() => {
      this.#corked = false
      socket.uncork?.()
    })
  }
}
