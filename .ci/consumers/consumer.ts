import aiByDefault, { aiCacheService, createAICacheService, redisAICacheService, type AICacheStats } from '@tiercel/ai'
import { createCache, TiercelError } from '@tiercel/core'
import * as connection from '@tiercel/core/connection'
import * as keyv from '@tiercel/core/keyv'

export async function use(): Promise<number> {
  const cache = createCache({ ttl: '5m' })
  const loaded: number = await cache.getOrSet('answer', () => 42, { ttl: 1000, tags: ['answers'], room: 'deep' })
  // @ts-expect-error: a loader's type is the call's type, so this fails unless the types were lost
  const wrong: string = await cache.getOrSet('answer', () => 42)
  // @ts-expect-error: an option that does not exist
  createCache({ tll: '5m' })
  await cache.close()
  return loaded + wrong.length
}

export function isOurs(error: unknown): string | undefined {
  return TiercelError.is(error) ? error.code : undefined
}

export const names = [...Object.keys(keyv), ...Object.keys(connection)]

interface Answer {
  readonly response: string
}

// As the callers of a module that says `any` have it, and as strict code does.
export function answer(message: string, context?: object): Answer | undefined {
  const hash = aiCacheService.generateMessageHash(message, context)
  const cached = aiCacheService.getChatResponse(hash)
  if (cached) return cached
  const typed: Answer | null = aiCacheService.getChatResponse<Answer>(hash)
  // @ts-expect-error: what is of a type may still be missing
  const response: string = aiCacheService.getChatResponse<Answer>(hash).response
  // @ts-expect-error: a family that does not exist
  aiCacheService.getCacheHitRatio('weather')
  aiByDefault.setChatResponse(hash, { response }, 5)
  return typed ?? undefined
}

export async function sizes(): Promise<number> {
  const ai = createAICacheService({ redis: false, chatCacheSize: 5, scope: () => 'ada' })
  const results: string[] | null = await redisAICacheService.getSearchResults<string[]>('k')
  const stats: AICacheStats = ai.getStats()
  await ai.ready
  await ai.async.clearAll()
  await ai.close()
  return stats.chat.size + (results?.length ?? 0)
}
