export type Hearer = (message: string, channel: string) => void

/** Messages from those who publish to those who hear, in the order they were published; after whoever publishes has gone on, as from Redis. */
export class Hub {
  readonly #hearers = new Set<Hearer>()

  publish(channel: string, message: string): number {
    const hearers = [...this.#hearers]
    queueMicrotask(() => {
      for (const hear of hearers) if (this.#hearers.has(hear)) hear(message, channel)
    })
    return hearers.length
  }

  /** Hears everything. Returns a function that ends it. */
  listen(hear: Hearer): () => void {
    this.#hearers.add(hear)
    return () => void this.#hearers.delete(hear)
  }
}
