import { LRUCache } from 'lru-cache'
import { allMechanisms, type Mechanisms, type TokenRegistry } from '../coherence/index.js'
import type { Entry } from './entry.js'

export interface MemoryBounds {
  /** Most entries kept. */
  readonly maxEntries: number
  /** Most bytes kept, estimated from keys and values. */
  readonly maxBytes: number
}

/** What an entry costs beside its key and value: the entry itself, its slots in the LRU's arrays and map. */
const ENTRY_OVERHEAD = 200

/**
 * The first tier: an LRU bounded by entries and by bytes. It knows neither clocks nor rules; whether an entry may be
 * served is decided by those who read it. Every entry in it holds its tokens, and gives them back when it leaves.
 */
export class MemoryStore {
  readonly #lru: LRUCache<string, Entry>
  /** One object for all sets: lru-cache reads it at once and does not keep it. */
  readonly #setOptions = { size: 1 }

  constructor(readonly bounds: MemoryBounds, tokens: TokenRegistry, mechanisms: Mechanisms = allMechanisms) {
    this.#lru = new LRUCache({
      max: bounds.maxEntries,
      maxSize: bounds.maxBytes,
      dispose: (entry) => {
        // Invalidations do not reach it any more: a call that waits for a load and still holds it must not serve it.
        if (mechanisms.kill) entry.kill()
        tokens.release(entry.tokens)
      },
    })
  }

  get size(): number {
    return this.#lru.size
  }

  get bytes(): number {
    return this.#lru.calculatedSize
  }

  get(key: string): Entry | undefined {
    return this.#lru.get(key)
  }

  /** Reads without counting as use. */
  peek(key: string): Entry | undefined {
    return this.#lru.peek(key)
  }

  /** Keeps an entry, and with it the hold on its tokens. Returns false, and keeps nothing under the key, when it is larger than all of the memory. */
  set(key: string, entry: Entry, valueBytes: number): boolean {
    const size = Math.ceil(valueBytes) + key.length + ENTRY_OVERHEAD
    if (size > this.bounds.maxBytes) {
      this.#lru.delete(key)
      return false
    }
    this.#setOptions.size = size
    this.#lru.set(key, entry, this.#setOptions)
    return true
  }

  delete(key: string): boolean {
    return this.#lru.delete(key)
  }

  clear(): void {
    this.#lru.clear()
  }

  keys(): Iterable<string> {
    return this.#lru.keys()
  }
}
