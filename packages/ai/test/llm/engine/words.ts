import { createCache, type Cache } from '@tiercel/core'
import { Engine, type Call } from '../../../src/llm/engine.js'
import { resolveOptions, type LLMCacheOptions } from '../../../src/llm/options.js'
import type { ModelRequest } from '../../../src/llm/request.js'
import type { Shape, Wire } from '../../../src/llm/wire.js'

const text: Shape<string> = {
  pack: (item) => item,
  unpack: (stored) => {
    if (typeof stored !== 'string') throw new TypeError('no text')
    return stored
  },
  copy: (item) => item,
  bytesOf: (item) => Buffer.byteLength(item),
  withoutUsage: (item) => item.replace(/ used \d+/, ' used 0'),
}

/** The simplest wire there can be: an answer is words, of which the last says why the model stopped and what it used, such as `stop used 7`. */
export const words: Wire<string, string> = {
  name: 'words',
  part: text,
  whole: text,
  join: (parts) => parts.join('|'),
  split: (whole) => whole.split('|'),
  isLast: (part) => / used \d+$/.test(part),
  outcomeOfParts: (parts) => words.outcomeOfWhole(parts.join('|')),
  outcomeOfWhole(whole) {
    const end = /(stop|length|content-filter) used (\d+)$/.exec(whole)
    if (end === null) return undefined
    return { finish: [end[1] as 'stop'], isEmpty: end.index === 0, usage: { inputTokens: Number(end[2]), outputTokens: 1 }, model: 'words-1' }
  },
}

/** A model that answers when it is told to. Counts how often it was asked, and who was told to stop. */
export class Model {
  readonly calls: Stream[] = []

  get asked(): number {
    return this.calls.length
  }

  last(): Stream {
    const call = this.calls.at(-1)
    if (call === undefined) throw new Error('nobody asked')
    return call
  }

  /** A call that is answered in parts, as `last()` is told to give them. */
  streamed(question: string, more: Partial<Call<string, string>> = {}): Call<string, string> {
    return {
      request: requestFor(question),
      wire: words,
      call: async (signal) => {
        const stream = new Stream(signal)
        this.calls.push(stream)
        return { parts: stream }
      },
      ...more,
    }
  }

  /** A call that is answered as a whole, at once. */
  plain(question: string, answer = 'hello|stop used 7', more: Partial<Call<string, string>> = {}): Call<string, string> {
    return {
      request: requestFor(question),
      wire: words,
      call: async (signal) => {
        this.calls.push(new Stream(signal))
        return { whole: answer }
      },
      ...more,
    }
  }
}

export class Stream implements AsyncIterableIterator<string, undefined> {
  readonly #parts: string[] = []
  #end: { readonly error?: Error } | undefined
  #wake = () => {}

  constructor(readonly signal: AbortSignal) {
    signal.addEventListener('abort', () => this.fail(signal.reason as Error), { once: true })
  }

  give(...parts: string[]): this {
    this.#parts.push(...parts)
    this.#wake()
    return this
  }

  end(): void {
    this.#end ??= {}
    this.#wake()
  }

  fail(error: Error): void {
    this.#end ??= { error }
    this.#wake()
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    for (;;) {
      const part = this.#parts.shift()
      if (part !== undefined) return { done: false, value: part }
      if (this.#end?.error !== undefined) throw this.#end.error
      if (this.#end !== undefined) return { done: true, value: undefined }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

export function requestFor(question: string, input: Readonly<Record<string, unknown>> = {}): ModelRequest {
  return { provider: 'test', model: 'words', kind: 'chat', input: { messages: [{ role: 'user', content: question }], ...input } }
}

export interface Opened {
  readonly engine: Engine
  readonly cache: Cache
}

/** An engine on a cache of its own, in memory unless it is said otherwise. */
export function openEngine(options: Partial<LLMCacheOptions> = {}): Opened {
  const { cache = createCache({ redis: false }), ...rest } = options
  return { engine: new Engine(resolveOptions({ scope: 'public', ...rest }), cache.namespace('llm')), cache }
}

export async function partsOf(answer: { parts(): AsyncIterable<string> }): Promise<string[]> {
  const parts: string[] = []
  for await (const part of answer.parts()) parts.push(part)
  return parts
}
