import { LRUCache } from 'lru-cache'
import { Entry } from './entry.js'
import { ExpiryQueue } from './expiry-queue.js'

/** Figures of one family. */
export interface FamilyStats {
  hits: number
  misses: number
  size: number
  maxSize: number
}

/**
 * One family of values in the memory of this process: an LRU with a time for every value. What expired leaves first, then what other processes sent and nobody asked
 * for here, then what has not been used for longest.
 */
export class Family {
  readonly maxSize: number
  readonly #used: LRUCache<string, Entry>
  readonly #unread: LRUCache<string, Entry>
  readonly #expiring = new ExpiryQueue<Entry>()
  readonly #userOf: ((key: string) => string) | undefined
  readonly #byUser = new Map<string, Set<Entry>>()
  #hits = 0
  #misses = 0

  /** @param userOf Tells whose a key is, in a family of values that belong to users. */
  constructor(maxSize: number, userOf?: (key: string) => string) {
    this.maxSize = maxSize
    this.#used = new LRUCache({ max: maxSize })
    this.#unread = new LRUCache({ max: maxSize })
    this.#userOf = userOf
  }

  /**
   * The value, or `null`. A hit is what is truthy.
   *
   * @param fetched What was just brought here for this read, and may have been pushed out again by what was brought at the same moment.
   */
  get(key: string, fetched?: Entry): unknown {
    const entry = this.#used.get(key) ?? this.#firstUse(key) ?? fetched
    if (entry === undefined) {
      this.#misses++
      return null
    }
    if (entry.isExpired) {
      this.#drop(entry)
      this.#misses++
      return null
    }
    if (entry.value) this.#hits++
    else this.#misses++
    return entry.value
  }

  /** As it is, and neither counted nor used. */
  peek(key: string): Entry | undefined {
    const entry = this.#used.peek(key) ?? this.#unread.peek(key)
    return entry === undefined || entry.isExpired ? undefined : entry
  }

  /** A value of this process. */
  set(key: string, value: unknown, ttlMs: number, version = ''): void {
    this.#makeRoom(key)
    const entry = new Entry(key, value, ttlMs, version)
    // It has made room all the same: a value with no time left evicts as any other does.
    if (!entry.isExpired) this.#keep(entry, this.#used)
  }

  /** A value that came from elsewhere. Unless it was `wanted` here, it takes the place of another one of those rather than of one that is in use. */
  receive(key: string, value: unknown, ttlMs: number, version: string, wanted: boolean): Entry {
    const isInUse = wanted || this.#used.peek(key) !== undefined
    this.#makeRoom(key)
    const entry = new Entry(key, value, ttlMs, version)
    if (!entry.isExpired) this.#keep(entry, isInUse ? this.#used : this.#unread)
    return entry
  }

  delete(key: string): void {
    const entry = this.#used.peek(key) ?? this.#unread.peek(key)
    if (entry !== undefined) this.#drop(entry)
  }

  deleteUser(user: string): void {
    for (const entry of this.#byUser.get(user) ?? []) this.#drop(entry)
  }

  deleteWhere(matches: (key: string) => boolean): void {
    for (const key of this.keys()) if (matches(key)) this.delete(key)
  }

  /** Least wanted first. */
  keys(): string[] {
    return [...this.#unread.rkeys(), ...this.#used.rkeys()]
  }

  clear(): void {
    this.#used.clear()
    this.#unread.clear()
    this.#expiring.clear()
    this.#byUser.clear()
  }

  resetCounters(): void {
    this.#hits = 0
    this.#misses = 0
  }

  dropExpired(): void {
    for (let first = this.#expiring.first; first?.isExpired; first = this.#expiring.first) this.#drop(first)
  }

  /** Of this moment, in an object of the caller's own. */
  stats(): FamilyStats {
    this.dropExpired()
    return { hits: this.#hits, misses: this.#misses, size: this.#size, maxSize: this.maxSize }
  }

  /** From 0 to 1; 0 when nobody asked. */
  get hitRatio(): number {
    return this.reads === 0 ? 0 : this.#hits / this.reads
  }

  /** Counts up with every read. */
  get reads(): number {
    return this.#hits + this.#misses
  }

  get #size(): number {
    return this.#used.size + this.#unread.size
  }

  #firstUse(key: string): Entry | undefined {
    const entry = this.#unread.peek(key)
    if (entry === undefined) return undefined
    this.#unread.delete(key)
    this.#used.set(key, entry)
    return entry
  }

  #makeRoom(key: string): void {
    this.dropExpired()
    const before = this.#used.peek(key) ?? this.#unread.peek(key)
    if (before !== undefined) {
      this.#drop(before)
    } else if (this.#size >= this.maxSize) {
      const last = this.#unread.pop() ?? this.#used.pop()
      if (last !== undefined) this.#forget(last)
    }
  }

  #keep(entry: Entry, where: LRUCache<string, Entry>): void {
    where.set(entry.key, entry)
    this.#expiring.add(entry)
    const user = this.#userOf?.(entry.key)
    if (user === undefined) return
    const entries = this.#byUser.get(user)
    if (entries === undefined) this.#byUser.set(user, new Set([entry]))
    else entries.add(entry)
  }

  #drop(entry: Entry): void {
    this.#used.delete(entry.key)
    this.#unread.delete(entry.key)
    this.#forget(entry)
  }

  #forget(entry: Entry): void {
    this.#expiring.remove(entry)
    const user = this.#userOf?.(entry.key)
    if (user === undefined) return
    const entries = this.#byUser.get(user)
    entries?.delete(entry)
    if (entries?.size === 0) this.#byUser.delete(user)
  }
}
