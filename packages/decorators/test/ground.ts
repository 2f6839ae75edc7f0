import { createCache, type Cache, type CacheOptions } from '@tiercel/core'
import { useCache } from '@tiercel/decorators'

const made: Cache[] = []

/** A cache in memory that decorated methods use until the test ends. */
export function cacheForTest(options: CacheOptions = {}): Cache {
  const cache = anotherCache(options)
  useCache(cache)
  return cache
}

/** A cache that is closed when the test ends. */
export function anotherCache(options: CacheOptions = {}): Cache {
  const cache = createCache({ redis: false, ...options })
  made.push(cache)
  return cache
}

export async function closeCaches(): Promise<void> {
  useCache(undefined)
  await Promise.all(made.splice(0).map((cache) => cache.close()))
}
