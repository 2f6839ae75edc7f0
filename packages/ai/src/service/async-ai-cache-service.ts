import { recommendationKey, textOf } from '../families/index.js'
import { Face, type Untyped } from './face.js'

/**
 * The AI cache with methods to await: they look in memory and then in Redis. Memory and counters are those of the synchronous face. While Redis is away they do what the
 * synchronous ones do. No promise rejects.
 */
export class AsyncAICacheService extends Face {
  async getSearchResults<T = Untyped>(key: string): Promise<T | null> {
    return (await this.cache().read('search', key)) as T | null
  }

  /** Resolves when Redis has the value. So do the other setters. */
  async setSearchResults(key: string, results: unknown, ttlMinutes?: number): Promise<void> {
    await this.cache().set('search', key, results, ttlMinutes)
  }

  async getRecommendations<T = Untyped>(userId: string, limit: number): Promise<T | null> {
    return (await this.cache().read('recommendation', recommendationKey(userId, limit))) as T | null
  }

  async setRecommendations(userId: string, limit: number, recommendations: unknown, ttlMinutes?: number): Promise<void> {
    await this.cache().set('recommendation', recommendationKey(userId, limit), recommendations, ttlMinutes)
  }

  async getAnalytics<T = Untyped>(userId: string): Promise<T | null> {
    return (await this.cache().read('analytics', userId)) as T | null
  }

  /** Kept for 24 hours unless `ttlMinutes` says otherwise. */
  async setAnalytics(userId: string, analytics: unknown, ttlMinutes?: number): Promise<void> {
    await this.cache().set('analytics', userId, analytics, ttlMinutes)
  }

  async getChatResponse<T = Untyped>(messageHash: string): Promise<T | null> {
    return (await this.cache().read('chat', messageHash)) as T | null
  }

  /** Kept for an hour unless `ttlMinutes` says otherwise. */
  async setChatResponse(messageHash: string, response: unknown, ttlMinutes?: number): Promise<void> {
    await this.cache().set('chat', messageHash, response, ttlMinutes)
  }

  /** Resolves when Redis was told, and with it the other processes. So do the other invalidations. */
  async invalidateUserCache(userId: string): Promise<void> {
    await this.cache().invalidateUser(textOf(userId))
  }

  async invalidateSearchCache(pattern?: string): Promise<void> {
    await this.cache().invalidateSearch(pattern)
  }

  async clearAll(): Promise<void> {
    await this.cache().clear()
  }

  async performMaintenance(): Promise<void> {
    this.cache().maintain()
  }

  async warmCache(): Promise<void> {
    await this.cache().load()
  }
}
