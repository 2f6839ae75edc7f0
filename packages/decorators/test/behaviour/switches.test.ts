import { expect, it } from 'vitest'
import { CacheConfig, Cached, cacheOf, cachedMethods, CachePut, Invalidates, uncached, useCache } from '@tiercel/decorators'
import { anotherCache, cacheForTest } from '../ground.js'

function counted() {
  const state = { runs: 0 }
  class Trips {
    @Cached()
    async find(id: string): Promise<string> {
      return `${id} ${++state.runs}`
    }
    @Cached()
    async twice(id: string): Promise<string> {
      await new Promise((resolve) => setImmediate(resolve))
      return `${await this.find(id)} twice`
    }
    @Invalidates({ method: 'find' })
    async rename() {}
    @CachePut({ method: 'find', args: (id: string) => [id] })
    async put(id: string) {
      return `put ${id}`
    }
  }
  return { trips: new Trips(), state }
}

it('runs every method as if it were not decorated after useCache(false), and caches again after another useCache', async () => {
  const cache = cacheForTest()
  const { trips } = counted()
  useCache(false)
  expect([await trips.find('1'), await trips.find('1')]).toEqual(['1 1', '1 2'])
  await Promise.all([trips.rename(), trips.put('1')])
  const { find } = cacheOf(trips)
  expect([await find.get('1'), await find.set('x', '1'), await find.invalidate('1'), await find.expire('1'), await find.clear()]).toEqual([
    undefined, false, { durable: true }, { durable: true }, { durable: true },
  ])
  expect(cache.stats()).toMatchObject({ sets: 0, misses: 0, invalidations: 0 })
  useCache(cache)
  expect([await trips.find('1'), await trips.find('1')]).toEqual(['1 3', '1 3'])
})

it('switches off the caches of classes too', async () => {
  let runs = 0
  const cache = anotherCache()
  @CacheConfig({ cache })
  class Trips {
    @Cached({ room: 'r' })
    async find() {
      return ++runs
    }
    @Invalidates({ room: 'r' })
    async rename() {}
    @CachePut({ method: 'find', args: () => [] })
    async put() {
      return 7
    }
  }
  const trips = new Trips()
  useCache(false)
  expect([await trips.find(), await trips.find()]).toEqual([1, 2])
  await Promise.all([trips.rename(), trips.put()])
  expect(cache.stats()).toMatchObject({ sets: 0, misses: 0, invalidations: 0 })
})

it.each([
  [{}, 'another object'],
  [true, 'a value of type boolean'],
  [null, 'null'],
])('refuses what is no cache: %j', (value, saying) => {
  expect(() => useCache(value as never)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT', message: expect.stringContaining(`not ${saying}`) }))
})

it('takes the cache that is in use when a method is called', async () => {
  const [first, second] = [cacheForTest(), anotherCache()]
  const { trips } = counted()
  await trips.find('1')
  useCache(second)
  expect(await trips.find('1')).toBe('1 2')
  useCache(first)
  expect(await trips.find('1')).toBe('1 1')
})

it('leaves the cache out within uncached, also for what is called later and further down, and keeps nothing of it', async () => {
  cacheForTest()
  const { trips } = counted()
  expect(await trips.twice('1')).toBe('1 1 twice')
  expect(await uncached(() => trips.twice('1'))).toBe('1 2 twice')
  expect(await uncached(async () => [await trips.find('1'), await trips.find('1')])).toEqual(['1 3', '1 4'])
  expect([await trips.twice('1'), await trips.find('1')]).toEqual(['1 1 twice', '1 1'])
})

it('leaves others alone who call at the same time', async () => {
  cacheForTest()
  const { trips, state } = counted()
  const inside = uncached(() => trips.twice('1'))
  const outside = [trips.twice('1'), trips.twice('1')]
  expect(new Set(await Promise.all(outside)).size).toBe(1)
  await inside
  expect(state.runs).toBe(2)
})

it('gives back what is run in uncached, and passes on what it throws', async () => {
  expect(uncached(() => 7)).toBe(7)
  expect(() =>
    uncached(() => {
      throw new Error('thrown')
    }),
  ).toThrow('thrown')
})

it('lists every cached method with its class, keys, options and figures', async () => {
  const cache = cacheForTest()
  @CacheConfig({ ttl: '1m', tags: ['all'] })
  class Trips {
    @Cached({ ttl: '5m', room: 'r' })
    async find(id: string): Promise<string> {
      if (id === 'bad') throw new Error('bad')
      return id
    }
    @Cached({ when: () => false })
    async other(): Promise<number> {
      return 1
    }
  }
  const trips = new Trips()
  await trips.find('1')
  await trips.find('1')
  await trips.find('2')
  await trips.find('bad').catch(() => {})
  await trips.other()
  await uncached(() => trips.find('1'))
  const listed = cachedMethods()
  expect(listed).toMatchObject([
    { name: 'Trips.find', class: 'Trips', method: 'find', keys: 'Trips.find[:(]*', options: { ttl: '5m', room: 'r', tags: ['all'] }, calls: 5, loads: 3, failed: 1, uncached: 1 },
    { name: 'Trips.other', calls: 1, loads: 0, uncached: 1, options: { ttl: '1m' } },
  ])
  expect(await cache.invalidatePattern(listed[0]?.keys ?? '')).toMatchObject({ count: 2 })
})

it('lists what a class inherits under its own name, with its own figures', async () => {
  cacheForTest()
  class Base {
    @Cached()
    async find(id: string) {
      return id
    }
  }
  class Users extends Base {}
  await new Users().find('1')
  await new Base().find('1')
  await new Base().find('1')
  expect(cachedMethods()).toMatchObject([
    { name: 'Base.find', class: 'Base', calls: 2, loads: 1 },
    { name: 'Users/Base.find', class: 'Users', calls: 1, loads: 1 },
  ])
})

it('lists methods of a class with @CacheConfig before anybody has made an instance', () => {
  @CacheConfig({ ttl: '1m' })
  class Trips {
    @Cached()
    async find() {
      return 1
    }
    @Cached()
    static async all() {
      return 1
    }
  }
  expect(Trips.length).toBe(0)
  expect(cachedMethods().map(({ name }) => name)).toEqual(['Trips.find', 'Trips.static.all'])
})
