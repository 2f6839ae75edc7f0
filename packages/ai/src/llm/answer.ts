import type { Saving } from './usage.js'
import type { Wire } from './wire.js'

/**
 * How a call was served. `'hit'`: by what was stored; `'miss'`: the model was asked; `'joined'`: by another call under way; `'bypass'`: the model was asked, past the cache.
 */
export type Served = 'hit' | 'miss' | 'joined' | 'bypass'

/** Where an answer comes from, item by item: parts, or a whole as the only one. */
export interface Source {
  readonly served: Served
  readonly key: string | undefined
  readonly head: unknown
  readonly form: 'parts' | 'whole'
  readonly ageMs: number
  next(): Promise<IteratorResult<unknown, undefined>>
  /** Nothing more is wanted. */
  leave(): void
  /** What it saved, as soon as that is known. */
  saving(): Saving | undefined
}

/** What a call is given. It is to be read once, in either form, or cancelled: as long as it is neither, the model is not told to stop. */
export class Answer<Part, Whole> {
  readonly #source: Source
  readonly #wire: Wire<Part, Whole>
  readonly #hidesUsage: boolean

  /** @internal */
  constructor(source: Source, wire: Wire<Part, Whole>, hidesUsage: boolean) {
    this.#source = source
    this.#wire = wire
    this.#hidesUsage = hidesUsage && (source.served === 'hit' || source.served === 'joined')
  }

  get served(): Served {
    return this.#source.served
  }

  /** The hash under which it is stored; `undefined` for a call past the cache. */
  get key(): string | undefined {
    return this.#source.key
  }

  /** What came before the answer. */
  get head(): unknown {
    return this.#source.head
  }

  /** In which form the provider gave it. It can be read in either. */
  get form(): 'parts' | 'whole' {
    return this.#source.form
  }

  /** How long ago it was complete; 0 for one that is not from the cache. */
  get ageMs(): number {
    return this.#source.ageMs
  }

  /** What a hit saved. Of one that was joined it is known once it is complete. */
  get saving(): Saving | undefined {
    return this.#source.saving()
  }

  /** Part by part, as they come. */
  parts(): AsyncIterableIterator<Part, undefined> {
    const source = this.#source
    let rest: Iterator<Part> | undefined
    const next = async (): Promise<IteratorResult<Part, undefined>> => {
      if (source.form === 'parts') {
        const { done, value } = await source.next()
        return done ? { done, value: undefined } : { done: false, value: this.#part(value as Part) }
      }
      rest ??= this.#wire.split(await this.whole())[Symbol.iterator]()
      const { done, value } = rest.next()
      return done ? { done, value: undefined } : { done: false, value }
    }
    // No generator: its `return` would wait for the part that is under way, which may never come.
    return {
      next,
      return: () => {
        source.leave()
        rest = [][Symbol.iterator]()
        return Promise.resolve({ done: true, value: undefined })
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /** All of it. */
  async whole(): Promise<Whole> {
    const items: unknown[] = []
    for (;;) {
      const { done, value } = await this.#source.next()
      if (done) break
      items.push(value)
    }
    const whole = this.#source.form === 'parts' ? this.#wire.join(items as Part[]) : (items[0] as Whole)
    return this.#hidesUsage ? this.#wire.whole.withoutUsage(whole) : whole
  }

  /** Nothing of it is wanted any more. */
  cancel(): void {
    this.#source.leave()
  }

  #part(part: Part): Part {
    return this.#hidesUsage ? this.#wire.part.withoutUsage(part) : part
  }
}
