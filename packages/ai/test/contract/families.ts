import type { AICacheOptions, FamilyName } from '@tiercel/ai'
import type { Face } from './faces.js'

/** The four families behind one shape. */
export interface FamilyCalls {
  readonly name: FamilyName
  readonly defaultMinutes: number
  readonly defaultSize: number
  sized(size: number): AICacheOptions
  get(face: Face, key: string): unknown
  set(face: Face, key: string, value: unknown, ttlMinutes?: number): unknown
}

export const families: readonly FamilyCalls[] = [
  {
    name: 'search',
    defaultMinutes: 30,
    defaultSize: 1000,
    sized: (searchCacheSize) => ({ searchCacheSize }),
    get: (face, key) => face.getSearchResults(key),
    set: (face, key, value, ttl) => face.setSearchResults(key, value, ttl),
  },
  {
    name: 'recommendation',
    defaultMinutes: 30,
    defaultSize: 500,
    sized: (recommendationCacheSize) => ({ recommendationCacheSize }),
    get: (face, key) => face.getRecommendations(key, 6),
    set: (face, key, value, ttl) => face.setRecommendations(key, 6, value, ttl),
  },
  {
    name: 'analytics',
    defaultMinutes: 1440,
    defaultSize: 100,
    sized: (analyticsCacheSize) => ({ analyticsCacheSize }),
    get: (face, key) => face.getAnalytics(key),
    set: (face, key, value, ttl) => face.setAnalytics(key, value, ttl),
  },
  {
    name: 'chat',
    defaultMinutes: 60,
    defaultSize: 200,
    sized: (chatCacheSize) => ({ chatCacheSize }),
    get: (face, key) => face.getChatResponse(key),
    set: (face, key, value, ttl) => face.setChatResponse(key, value, ttl),
  },
]
