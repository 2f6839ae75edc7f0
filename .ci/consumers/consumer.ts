import aiByDefault, { aiCacheService, createAICacheService, redisAICacheService, type AICacheStats } from '@tiercel/ai'
import { createCache, TiercelError } from '@tiercel/core'
import * as connection from '@tiercel/core/connection'
import * as keyv from '@tiercel/core/keyv'
import { instrument, type Instrumentation } from '@tiercel/core/opentelemetry'
import { createConsistencyChecker, startFakeClock, startProxy, startRedis, type FaultProxy, type RedisServer } from '@tiercel/core/testing'
import { cacheOf, useCache } from '@tiercel/decorators'
import { cacheResponses, invalidateResponses, type Middleware } from '@tiercel/express'

export async function use(): Promise<number> {
  const cache = createCache({ ttl: '5m' })
  const loaded: number = await cache.getOrSet('answer', () => 42, { ttl: 1000, tags: ['answers'], room: 'deep' })
  // @ts-expect-error: a loader's type is the call's type, so this fails unless the types were lost
  const wrong: string = await cache.getOrSet('answer', () => 42)
  // @ts-expect-error: an option that does not exist
  createCache({ tll: '5m' })
  useCache(cache)
  const found: string | undefined = await cacheOf({ find: async (id: number) => String(id) }).find.get(1)
  // @ts-expect-error: another argument
  await cacheOf({ find: async (id: number) => found ?? String(id) }).find.invalidate('1')
  const handlers: Middleware[] = [cacheResponses({ cache, ttl: '1m', room: (req) => req.params.id }), invalidateResponses({ cache, tags: ['answers'] })]
  // @ts-expect-error: an option that does not exist
  handlers.push(cacheResponses({ cache, tll: '1m' }))
  await cache.close()
  return loaded + wrong.length
}

export function isOurs(error: unknown): string | undefined {
  return TiercelError.is(error) ? error.code : undefined
}

export async function watch(): Promise<Instrumentation> {
  const cache = createCache()
  // @ts-expect-error: an option that does not exist
  await instrument(cache, { hashedkeys: true })
  return instrument(cache, { hashedKeys: true })
}

export async function suffer(): Promise<[RedisServer, FaultProxy]> {
  const redis = await startRedis({ password: 'secret' })
  const proxy = await startProxy(redis)
  proxy.delay(20, { jitterMs: 5, direction: 'down' })
  // @ts-expect-error: a direction that does not exist
  proxy.pause('sideways')
  const { ok }: { ok: boolean } = createConsistencyChecker({ bound: '5s' }).report()
  await startFakeClock({ running: ok }).advance('1m')
  return [redis, proxy]
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
