import { createCache, type Cache, type CacheEvents, type CacheListener, type CacheOptions } from './index.js'

type ErrorListener = (error: unknown) => void

/**
 * A Tiercel cache as the store of a Keyv instance: `new Keyv({ store: new KeyvTiercel(cache) })`.
 *
 * What Keyv stores without a TTL gets the cache's default one, and may be pushed out before: this is a cache and not a database. Keyv's
 * optional `iterator` is not there, since a cache does not list its keys.
 */
export class KeyvTiercel {
  readonly cache: Cache
  /** Read by Keyv. */
  readonly opts: Record<string, unknown> = {}
  /** Set by Keyv, which also begins every key with it. `clear` empties this namespace only. */
  namespace: string | undefined
  readonly #ownsCache: boolean
  readonly #errorListeners = new Map<ErrorListener, CacheListener<'error'>>()

  /** @param cache A cache to share, which `disconnect` leaves open; or options for one of its own. */
  constructor(cache: Cache | CacheOptions = {}) {
    this.#ownsCache = !('getOrSet' in cache)
    this.cache = this.#ownsCache ? createCache(cache as CacheOptions) : (cache as Cache)
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return this.cache.get<Value>(key)
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    const found = await this.cache.getMany<Value>(keys)
    return keys.map((key) => found.get(key))
  }

  /** @param ttl In milliseconds. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    return this.cache.set(key, value, ttl === undefined ? undefined : { ttl })
  }

  async setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<void> {
    await Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)))
  }

  async delete(key: string): Promise<boolean> {
    return ((await this.cache.delete(key)).count ?? 0) > 0
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    return ((await this.cache.deleteMany(keys)).count ?? 0) > 0
  }

  async has(key: string): Promise<boolean> {
    return this.cache.has(key)
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.cache.has(key)))
  }

  async clear(): Promise<void> {
    if (this.namespace === undefined || this.namespace === '') await this.cache.invalidate({ all: true })
    else await this.cache.invalidatePattern(`${this.namespace.replace(/[*?[\]\\]/g, '\\$&')}:*`)
  }

  async disconnect(): Promise<void> {
    if (this.#ownsCache) await this.cache.close()
  }

  /** Keyv listens for `'error'` and passes on what the cache reports. */
  on(event: string, listener: ErrorListener): this {
    if (event === 'error' && !this.#errorListeners.has(listener)) {
      const forward = ({ error }: CacheEvents['error']) => listener(error)
      this.#errorListeners.set(listener, forward)
      this.cache.on('error', forward)
    }
    return this
  }

  off(event: string, listener: ErrorListener): this {
    const forward = this.#errorListeners.get(listener)
    if (event === 'error' && forward !== undefined) {
      this.#errorListeners.delete(listener)
      this.cache.off('error', forward)
    }
    return this
  }
}
