import { recommendationKey, textOf } from '../families/index.js'
import type { AICache } from './ai-cache.js'
import { AsyncAICacheService } from './async-ai-cache-service.js'
import { Face, type Untyped } from './face.js'

/**
 * The AI cache with synchronous methods: reads are answered from the memory of this process, and Redis is brought to it in the background. No method throws, and none but
 * those that return a promise waits.
 *
 * TTLs are in minutes: `undefined`, `0` and `NaN` mean the default, a negative one has expired already, fractions work. A value that is not there is `null`. Values are given
 * back by reference; other processes get a copy of what the value was when it was set.
 */
export class AICacheService extends Face {
  /** The same cache with methods that look in Redis. */
  readonly async: AsyncAICacheService

  /** @internal */
  constructor(cache: () => AICache) {
    super(cache)
    this.async = new AsyncAICacheService(cache)
  }

  /** Resolves when the newest values that Redis has are in memory; without Redis at once, and when it cannot be reached after `connectTimeout`. Never rejects. */
  get ready(): Promise<void> {
    return this.cache().ready
  }

  getSearchResults<T = Untyped>(key: string): T | null {
    return this.cache().get('search', key) as T | null
  }

  setSearchResults(key: string, results: unknown, ttlMinutes?: number): void {
    void this.cache().set('search', key, results, ttlMinutes)
  }

  getRecommendations<T = Untyped>(userId: string, limit: number): T | null {
    return this.cache().get('recommendation', recommendationKey(userId, limit)) as T | null
  }

  setRecommendations(userId: string, limit: number, recommendations: unknown, ttlMinutes?: number): void {
    void this.cache().set('recommendation', recommendationKey(userId, limit), recommendations, ttlMinutes)
  }

  getAnalytics<T = Untyped>(userId: string): T | null {
    return this.cache().get('analytics', userId) as T | null
  }

  /** Kept for 24 hours unless `ttlMinutes` says otherwise. */
  setAnalytics(userId: string, analytics: unknown, ttlMinutes?: number): void {
    void this.cache().set('analytics', userId, analytics, ttlMinutes)
  }

  getChatResponse<T = Untyped>(messageHash: string): T | null {
    return this.cache().get('chat', messageHash) as T | null
  }

  /** Kept for an hour unless `ttlMinutes` says otherwise. */
  setChatResponse(messageHash: string, response: unknown, ttlMinutes?: number): void {
    void this.cache().set('chat', messageHash, response, ttlMinutes)
  }

  /** Drops the recommendations of a user, whatever their limit, and the analytics. */
  invalidateUserCache(userId: string): void {
    void this.cache().invalidateUser(textOf(userId))
  }

  /**
   * Drops search results: all of them, or those whose key matches the pattern: `*` any run, `?` one character, `[a-z]`, and `\` before a character that is meant literally. The
   * pattern is for all of the key or for what follows `search:`.
   */
  invalidateSearchCache(pattern?: string): void {
    void this.cache().invalidateSearch(pattern)
  }

  /** Drops everything, and counts from zero. */
  clearAll(): void {
    void this.cache().clear()
  }

  /** Drops what has expired, and logs one line. It happens by itself every five minutes. */
  performMaintenance(): void {
    this.cache().maintain()
  }

  /** Brings the newest values that Redis has into memory, as at the start. Never rejects. */
  async warmCache(): Promise<void> {
    await this.cache().load()
  }

  /** Resolves when Redis has everything that was set, and was told everything that was invalidated, until now; at once while it is away. */
  async flush(): Promise<void> {
    await this.cache().flush()
  }

  /** Writes what is to be written, as `flush` does but for two seconds at most, and ends the connections. From then on nothing is found and nothing kept. */
  async close(): Promise<void> {
    await this.cache().close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
