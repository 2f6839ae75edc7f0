import { Cache, CacheContainer } from 'node-ts-cache'
import { MemoryStorage } from 'node-ts-cache-storage-memory'
import { ttlMs, type Load } from '../../peers/index.js'
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
  const container = new CacheContainer(new MemoryStorage())
  for (const method of ['find', 'search']) decorateLegacy(Cache(container, { ttl: ttlMs / 1000 }), Trips.prototype, method)
  return new Trips()
}

export const nodeTsCacheByString: ReadLoop = {
  name: 'node-ts-cache, one string',
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

export const nodeTsCacheByFields: ReadLoop = {
  name: 'node-ts-cache, three fields',
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
