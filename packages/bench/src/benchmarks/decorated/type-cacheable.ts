import { Cacheable } from '@type-cacheable/core'
import { LRUCacheAdapter } from '@type-cacheable/lru-cache-adapter'
import { LRUCache } from 'lru-cache'
import { roomForEntries, ttlMs, type Load } from '../../peers/index.js'
import type { Sample } from '../../values.js'
import type { ReadLoop } from '../other-reads.js'
import { decorateLegacy } from './legacy.js'
import type { Query } from './query.js'

function tripsOf(load: Load) {
  class Trips {
    find(key: string): Promise<Sample> {
      return load(key)
    }

    search({ key }: Query): Promise<Sample> {
      return load(key)
    }
  }
  // The adapter is CommonJS, where lru-cache has types of its own for the same class.
  const client = new LRUCacheAdapter<Sample>(new LRUCache<string, Sample>({ max: roomForEntries, ttl: ttlMs }) as never)
  for (const method of ['find', 'search']) decorateLegacy(Cacheable({ client, ttlSeconds: ttlMs / 1000 }), Trips.prototype, method)
  return new Trips()
}

export const typeCacheableByString: ReadLoop = {
  name: 'type-cacheable, one string',
  copies: false,
  open(load) {
    const trips = tripsOf(load)
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await trips.find(key)).id
      return sum
    }
    return { fill: readEach, read: (key) => trips.find(key), readEach, close: async () => {} }
  },
}

export const typeCacheableByFields: ReadLoop = {
  name: 'type-cacheable, three fields',
  copies: false,
  open(load) {
    const trips = tripsOf(load)
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await trips.search({ key, page: 1, sort: 'name' })).id
      return sum
    }
    return { fill: readEach, read: (key) => trips.search({ key, page: 1, sort: 'name' }), readEach, close: async () => {} }
  },
}
