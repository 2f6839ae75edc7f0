import { openTiercel, type Load } from '../../peers/index.js'
import type { Sample } from '../../values.js'
import type { ReadLoop } from '../other-reads.js'
import type { Query } from './query.js'

/** As one would write it without decorators. */
class Trips {
  readonly cache = openTiercel()

  constructor(readonly load: Load) {}

  find(key: string): Promise<Sample> {
    return this.cache.getOrSet(`trip:${key}`, () => this.load(key))
  }

  search({ key, page, sort }: Query): Promise<Sample> {
    return this.cache.getOrSet(`trips:${key}:${page}:${sort}`, () => this.load(key))
  }
}

export const byHandByString: ReadLoop = {
  name: 'written by hand, one string',
  copies: false,
  open(load) {
    const trips = new Trips(load)
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await trips.find(key)).id
      return sum
    }
    return { fill: readEach, read: (key) => trips.find(key), readEach, close: () => trips.cache.close() }
  },
}

export const byHandByFields: ReadLoop = {
  name: 'written by hand, three fields',
  copies: false,
  open(load) {
    const trips = new Trips(load)
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await trips.search({ key, page: 1, sort: 'name' })).id
      return sum
    }
    return { fill: readEach, read: (key) => trips.search({ key, page: 1, sort: 'name' }), readEach, close: () => trips.cache.close() }
  },
}
