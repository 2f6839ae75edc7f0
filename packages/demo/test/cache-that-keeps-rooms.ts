import { createCache as createWorkingCache, type Cache, type CacheOptions } from '../../core/src/index.js'

export * from '../../core/src/index.js'

/** A cache with a fault: it ignores every invalidation but that of everything, so that old values stay. */
export function createCache(options: CacheOptions): Cache {
  const cache = createWorkingCache(options)
  const invalidate = cache.invalidate.bind(cache)
  cache.invalidate = (target) => (target.all ? invalidate(target) : Promise.resolve({ durable: true }))
  return cache
}
