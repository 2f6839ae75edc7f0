import { Cached, useCache } from '@tiercel/decorators'
import { openTiercel, type Load } from '../../peers/index.js'
import type { Sample } from '../../values.js'
import type { ReadLoop } from '../other-reads.js'
import type { Query } from './query.js'

const cache = openTiercel()
useCache(cache)

class Trips {
  constructor(readonly load: Load) {}

  @Cached()
  find(key: string): Promise<Sample> {
    return this.load(key)
  }

  @Cached()
  search({ key }: Query): Promise<Sample> {
    return this.load(key)
  }
}

export const cachedByString: ReadLoop = {
  name: '@Cached, one string',
  copies: false,
  open(load) {
    const trips = new Trips(load)
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await trips.find(key)).id
      return sum
    }
    return { fill: readEach, read: (key) => trips.find(key), readEach, close: forgetAll }
  },
}

export const cachedByFields: ReadLoop = {
  name: '@Cached, three fields',
  copies: false,
  open(load) {
    const trips = new Trips(load)
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await trips.search({ key, page: 1, sort: 'name' })).id
      return sum
    }
    return { fill: readEach, read: (key) => trips.search({ key, page: 1, sort: 'name' }), readEach, close: forgetAll }
  },
}

// It is not closed: it is there for all of them, and in memory only.
async function forgetAll(): Promise<void> {
  await cache.invalidate({ all: true })
}
