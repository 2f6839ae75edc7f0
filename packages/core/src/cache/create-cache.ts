import { mechanismsLeft } from '../coherence/index.js'
import { Shared } from '../flight/index.js'
import { namespaceLevels, resolveCache, type CacheOptions } from '../options/index.js'
import type { Cache } from './cache.js'
import { Namespaces } from './namespaces.js'

/**
 * Makes a cache in the memory of this process.
 *
 * @throws {InvalidOptionError} for an option that does not exist, has a value it cannot have, or contradicts another one.
 * @example
 * const cache = createCache({ ttl: '1m', grace: '10m' })
 */
export function createCache(options: CacheOptions = {}): Cache {
  const settings = resolveCache(options)
  return new Namespaces(new Shared(settings, mechanismsLeft(options)), namespaceLevels(settings.name), options).root
}
