import { createCache, type Cache, type CacheOptions } from '@tiercel/core'
import { expect } from '../../misbehaviour.js'
import { ttlMs } from '../../peers/index.js'

/**
 * A cache that has found its Redis. The deadline is so long that a busy machine does not make a miss of a read: what is slow is to show as slow. Everything
 * else is as it comes.
 */
export async function openCache(options: CacheOptions): Promise<Cache> {
  const cache = createCache({ ttl: ttlMs, deadline: '30s', ...options })
  await cache.ready()
  expect(cache.getConnectionStatus() === 'connected', 'the cache did not find its Redis')
  return cache
}
