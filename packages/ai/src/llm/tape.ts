/** Reads a tape. It holds its place until it is at the end, returned or failed. */
export interface TapeReader<T> {
  next(): Promise<IteratorResult<T, undefined>>
  /** Reads no more. */
  return(): void
  /** Reads no more, and whoever waits is told why. */
  fail(error: unknown): void
}

/**
 * What a call has given so far, for any number of readers, each from the start.
 *
 * All of it is kept while it is within `maxBytes`. Beyond that only what somebody has yet to read is, nobody can join any more, and whoever writes waits for the slowest reader.
 */
export class Tape<T> {
  readonly #items: T[] = []
  readonly #sizes: number[] = []
  /** How many were let go. */
  #gone = 0
  #bytes = 0
  #end: { readonly error?: unknown } | undefined
  #isWhole = true
  readonly #readers = new Set<{ at: number }>()
  #change: Change | undefined

  constructor(private readonly maxBytes: number) {}

  /** Whether it still holds everything from the start. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** How much it holds. */
  get bytes(): number {
    return this.#bytes
  }

  /** What it holds: everything, while it is whole. */
  get items(): readonly T[] {
    return this.#items
  }

  /** Resolves when there is room for another one: at once while the tape is within its bounds. */
  async write(item: T, bytes: number): Promise<void> {
    this.#items.push(item)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    this.#tell()
    if (this.#bytes > this.maxBytes) this.#isWhole = false
    if (this.#isWhole) return
    for (;;) {
      this.#letGo()
      if (this.#bytes <= this.maxBytes) return
      await this.#changed()
    }
  }

  end(): void {
    this.#end ??= {}
    this.#tell()
  }

  /** Readers get what there is, and then the error. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#tell()
  }

  /** Reads from the start. */
  read(): TapeReader<T> {
    const reader = { at: this.#gone }
    this.#readers.add(reader)
    let failure: { readonly error: unknown } | undefined
    const leave = (): void => {
      if (this.#readers.delete(reader)) this.#tell()
    }
    return {
      next: async () => {
        for (;;) {
          if (!this.#readers.has(reader)) {
            if (failure === undefined) return { done: true, value: undefined }
            const { error } = failure
            failure = undefined
            throw error
          }
          if (reader.at - this.#gone < this.#items.length) {
            const value = this.#items[reader.at - this.#gone] as T
            reader.at++
            // Whoever writes may wait for just that.
            if (!this.#isWhole) this.#tell()
            return { done: false, value }
          }
          if (this.#end === undefined) {
            await this.#changed()
            continue
          }
          if ('error' in this.#end) failure = { error: this.#end.error }
          leave()
        }
      },
      return: leave,
      fail: (error) => {
        if (this.#readers.has(reader)) failure = { error }
        leave()
      },
    }
  }

  /** Lets go of what everybody has read. */
  #letGo(): void {
    let first = this.#gone + this.#items.length
    for (const { at } of this.#readers) first = Math.min(first, at)
    this.#items.splice(0, first - this.#gone)
    for (const bytes of this.#sizes.splice(0, first - this.#gone)) this.#bytes -= bytes
    this.#gone = first
  }

  #changed(): Promise<void> {
    this.#change ??= new Change()
    return this.#change.promise
  }

  #tell(): void {
    const change = this.#change
    this.#change = undefined
    change?.happened()
  }
}

class Change {
  happened: () => void = () => {}
  readonly promise = new Promise<void>((resolve) => (this.happened = resolve))
}
