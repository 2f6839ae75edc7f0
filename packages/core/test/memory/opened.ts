import { Namespaces } from '../../src/cache/namespaces.js'
import { Shared } from '../../src/flight/index.js'
import { namespaceLevels, resolveCache } from '../../src/options/index.js'
import type { Cache, CacheOptions } from '../../src/index.js'

/** A cache together with what is inside of it. Made as `createCache` makes one. */
export function openedCache(options: CacheOptions = {}): { cache: Cache; inside: Shared } {
  const settings = resolveCache(options)
  const inside = new Shared(settings)
  return { cache: new Namespaces(inside, namespaceLevels(settings.name), options).root, inside }
}
