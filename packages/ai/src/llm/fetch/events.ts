const LF = 10
const CR = 13

/**
 * Cuts a stream of server-sent events where events end and nowhere else: chunks of a network end anywhere, also within a character. The bytes are those that came.
 *
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class EventCutter {
  #begun: Uint8Array[] = []
  #length = 0
  #isLineEmpty = true
  /** Whether an empty line has ended by a carriage return. */
  #isBlank = false
  #before = 0

  /** @param longest An event that is longer than that many bytes comes in pieces. */
  constructor(private readonly longest: number) {}

  /** The events that end in this chunk. */
  cut(chunk: Uint8Array): Uint8Array[] {
    const events: Uint8Array[] = []
    let from = 0
    const endBefore = (at: number) => {
      events.push(this.#end(chunk.subarray(from, at)))
      from = at
    }
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      const before = this.#before
      this.#before = byte
      if (this.#isBlank) {
        // A line feed belongs to the carriage return before it.
        this.#isBlank = false
        endBefore(byte === LF ? at + 1 : at)
        if (byte === LF) continue
      }
      if (byte === CR) this.#isBlank = this.#isLineEmpty
      else if (byte === LF && before !== CR && this.#isLineEmpty) endBefore(at + 1)
      this.#isLineEmpty = byte === LF || byte === CR
    }
    if (from < chunk.length) {
      this.#begun.push(chunk.subarray(from))
      this.#length += chunk.length - from
    }
    if (this.#length > this.longest) events.push(this.#end())
    return events
  }

  /** What is left at the end. */
  rest(): Uint8Array[] {
    return this.#length > 0 ? [this.#end()] : []
  }

  #end(last?: Uint8Array): Uint8Array {
    // Never a view of somebody's buffer: it is kept.
    const event = new Uint8Array(Buffer.concat(last === undefined ? this.#begun : [...this.#begun, last]))
    this.#begun = []
    this.#length = 0
    return event
  }
}

/** The events of a body, one after the other. Its end is not waited for by whoever reads no more. */
export function eventsOf(body: ReadableStream<Uint8Array>, longest: number): AsyncIterableIterator<Uint8Array, undefined> {
  const reader = body.getReader()
  const cutter = new EventCutter(longest)
  const ready: Uint8Array[] = []
  let isAtEnd = false
  return {
    async next() {
      for (;;) {
        const event = ready.shift()
        if (event !== undefined) return { done: false, value: event }
        if (isAtEnd) return { done: true, value: undefined }
        const { done, value } = await reader.read()
        ready.push(...(done ? cutter.rest() : cutter.cut(value)))
        isAtEnd = done
      }
    },
    async return() {
      await reader.cancel()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** One event, taken apart. */
export interface ServerSentEvent {
  readonly event: string | undefined
  readonly data: string
}

/** The events in a piece of a stream. Those without data, such as comments that keep a connection alive, are none. */
export function parseEvents(text: string): ServerSentEvent[] {
  const events: ServerSentEvent[] = []
  // A byte order mark belongs to no field: with it the first event would be none.
  for (const block of text.replace(/^\uFEFF/, '').split(/(?:\r\n|\n|\r){2,}/)) {
    let event: string | undefined
    const data: string[] = []
    for (const line of block.split(/\r\n|\n|\r/)) {
      const [, name, value = ''] = /^(event|data)(?:: ?(.*))?$/s.exec(line) ?? []
      if (name === 'event') event = value
      else if (name === 'data') data.push(value)
    }
    if (data.length > 0) events.push({ event, data: data.join('\n') })
  }
  return events
}

export function formatEvent({ event, data }: ServerSentEvent): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`
}
