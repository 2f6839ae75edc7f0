import { RedisRefusedError } from '@tiercel/core'
import type { Stream } from './streams.js'

/** What a key can hold. */
export interface Kinds {
  string: { text: string }
  hash: Map<string, string>
  list: string[]
  set: Set<string>
  zset: Map<string, number>
  stream: Stream
}

export type Kind = keyof Kinds

interface Entry {
  readonly kind: Kind
  readonly held: Kinds[Kind]
  /** `Infinity`: never. */
  expiresAt: number
}

/** So many keys are looked at for expiry at every write, so that what nobody asks for goes as well. */
const LOOKED_AT = 2

/** The keys of a memory, with their times. Bounded: beyond `maxKeys` the key that was written to longest ago goes. */
export class Store {
  readonly #entries = new Map<string, Entry>()
  readonly #maxKeys: number
  #sweep: IterableIterator<[string, Entry]> | undefined

  constructor(
    maxKeys: number,
    /** Milliseconds since 1970. Never goes back. */
    readonly now: () => number,
  ) {
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#entries.size
  }

  /** @throws {RedisRefusedError} when it holds another kind of value. */
  find<K extends Kind>(kind: K, key: string): Kinds[K] | undefined {
    const entry = this.#alive(key)
    if (entry === undefined) return undefined
    if (entry.kind !== kind) throw new RedisRefusedError('wrongtype', 'The key holds another kind of value')
    return entry.held as Kinds[K]
  }

  /** Throws as `find` does. */
  open<K extends Kind>(kind: K, key: string, make: () => Kinds[K]): Kinds[K] {
    const held = this.find(kind, key) ?? make()
    // Also one that is there: what is written to all the time, such as an index of all the others, must not be the first to go.
    this.put(kind, key, held, this.expiry(key))
    return held
  }

  put<K extends Kind>(kind: K, key: string, held: Kinds[K], expiresAt = Number.POSITIVE_INFINITY): void {
    this.#entries.delete(key)
    this.#entries.set(key, { kind, held, expiresAt })
    this.#sweepSome()
    if (this.#entries.size > this.#maxKeys) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
  }

  remove(key: string): boolean {
    const wasThere = this.#alive(key) !== undefined
    this.#entries.delete(key)
    return wasThere
  }

  /** A collection with nothing in it does not exist. */
  removeIfEmpty(key: string, size: number): void {
    if (size === 0) this.#entries.delete(key)
  }

  has(key: string): boolean {
    return this.#alive(key) !== undefined
  }

  /** `undefined`: there is no such key. */
  expiry(key: string): number | undefined {
    return this.#alive(key)?.expiresAt
  }

  expireAt(key: string, at: number): boolean {
    const entry = this.#alive(key)
    if (entry === undefined) return false
    entry.expiresAt = at
    return true
  }

  *keys(): Iterable<string> {
    for (const key of Array.from(this.#entries.keys())) if (this.#alive(key) !== undefined) yield key
  }

  clear(): void {
    this.#entries.clear()
  }

  #alive(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.expiresAt > this.now()) return entry
    this.#entries.delete(key)
    return undefined
  }

  #sweepSome(): void {
    for (let looked = 0; looked < LOOKED_AT; looked++) {
      this.#sweep ??= this.#entries.entries()
      const { done, value } = this.#sweep.next()
      if (done === true) {
        this.#sweep = undefined
        return
      }
      const [key, { expiresAt }] = value
      if (expiresAt <= this.now()) this.#entries.delete(key)
    }
  }
}
