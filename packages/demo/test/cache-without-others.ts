import { createCache as createWorkingCache, type Cache, type CacheOptions } from '../../core/src/index.js'

export * from '../../core/src/index.js'

/** A cache with a fault: it says that it is connected, and is alone. */
export function createCache({ name = 'alone' }: CacheOptions): Cache {
  const cache = createWorkingCache({ name, redis: false })
  cache.getConnectionStatus = () => 'connected'
  return cache
}
