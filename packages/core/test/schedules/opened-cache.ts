import { Namespaces } from '../../src/cache/namespaces.js'
import { mechanismsLeft, withoutMechanisms, type Mechanisms } from '../../src/coherence/index.js'
import { Shared } from '../../src/flight/index.js'
import { createCache, type Cache, type CacheOptions } from '../../src/index.js'
import { resolveCache } from '../../src/options/index.js'

/** A cache in memory, also where the environment names a Redis. */
export function memoryCache(options: CacheOptions = {}): Cache {
  return createCache({ redis: false, ...options })
}

/** A cache with some of its mechanisms left out. */
export function cacheWithout(mechanisms: readonly (keyof Mechanisms)[], options: CacheOptions = {}): Cache {
  return memoryCache({ ...options, [withoutMechanisms]: mechanisms } as CacheOptions)
}

/** A cache together with what it keeps its books in. */
export function openedCache(options: CacheOptions = {}): { readonly cache: Cache; readonly shared: Shared } {
  const shared = new Shared(resolveCache({ redis: false, ...options }), mechanismsLeft(options))
  return { cache: new Namespaces(shared, ['tiercel'], options).root, shared }
}
