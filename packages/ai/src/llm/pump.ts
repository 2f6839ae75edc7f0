/** How long the end of a stream may take after its last part. A provider that keeps the connection open must not keep the answer under way. */
const LONGEST_END_MS = 5000

/** Takes the parts of a stream one after the other. */
export class Pump<Part> {
  /** Whether the last part that matters has come. */
  isAnswered = false
  readonly #parts: AsyncIterator<Part>

  constructor(
    parts: AsyncIterable<Part>,
    private readonly isLast: (part: Part) => boolean,
  ) {
    this.#parts = parts[Symbol.asyncIterator]()
  }

  /** Resolves at the end of the stream. Rejects with what ends it before, which can be the signal: not every stream obeys one. */
  async run(take: (part: Part) => Promise<void>, signal: AbortSignal): Promise<void> {
    let giveUp: (reason: unknown) => void = () => {}
    const onAbort = () => giveUp(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (;;) {
        signal.throwIfAborted()
        const coming = this.isAnswered ? endOf(this.#parts.next()) : this.#parts.next()
        // No race with one promise for all parts: that would hold on to each of them until the end.
        const next = await new Promise<IteratorResult<Part>>((resolve, reject) => {
          giveUp = reject
          coming.then(resolve, reject)
        })
        if (next.done) return
        this.isAnswered ||= this.isLast(next.value)
        await take(next.value)
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      // Not waited for: it may want to read to the end. At the end it does nothing.
      void Promise.resolve(this.#parts.return?.()).catch(() => {})
    }
  }
}

/** What breaks after the last part has broken nothing. */
function endOf<Part>(next: Promise<IteratorResult<Part>>): Promise<IteratorResult<Part>> {
  return new Promise((resolve) => {
    const end = () => resolve({ done: true, value: undefined })
    const limit = setTimeout(end, LONGEST_END_MS)
    limit.unref()
    const settle = (result: IteratorResult<Part>) => {
      clearTimeout(limit)
      resolve(result)
    }
    next.then(settle, () => settle({ done: true, value: undefined }))
  })
}
