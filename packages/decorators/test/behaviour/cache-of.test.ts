import { expect, it } from 'vitest'
import { Cached, cacheOf } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

function counted() {
  let runs = 0
  class Trips {
    @Cached({ grace: '1h' })
    async find(id: string, _page?: number): Promise<string> {
      return `${id} ${++runs}`
    }
    @Cached()
    static async all(): Promise<number> {
      return ++runs
    }
    async plain(): Promise<number> {
      return 1
    }
  }
  return { trips: new Trips(), Trips }
}

it('forgets what a call with these arguments gave', async () => {
  cacheForTest()
  const { trips, Trips } = counted()
  await Promise.all([trips.find('1'), trips.find('2'), Trips.all()])
  expect(await cacheOf(trips).find.invalidate('1')).toEqual({ durable: true, count: 1 })
  await cacheOf(Trips).all.invalidate()
  expect([await trips.find('1'), await trips.find('2'), await Trips.all()]).toEqual(['1 4', '2 2', 5])
})

it('forgets all that a method gave, and nothing of others', async () => {
  const cache = cacheForTest()
  const { trips, Trips } = counted()
  await Promise.all([trips.find('1'), trips.find('2', 3), Trips.all(), cache.set('Trips.finder(1)', 'other')])
  expect(await cacheOf(trips).find.clear()).toEqual({ durable: true, count: 2 })
  expect([await cacheOf(trips).find.get('1'), await Trips.all(), cache.peek('Trips.finder(1)')]).toEqual([undefined, 3, 'other'])
})

it('looks without running the method, and sets', async () => {
  cacheForTest()
  const { trips } = counted()
  const { find } = cacheOf(trips)
  expect(await find.get('1')).toBeUndefined()
  expect(await find.set('given', '1')).toBe(true)
  expect([await find.get('1'), await trips.find('1')]).toEqual(['given', 'given'])
})

it('expires: the old value is left for grace', async () => {
  const cache = cacheForTest()
  const { trips } = counted()
  await trips.find('1')
  await cacheOf(trips).find.expire('1')
  expect(cache.peek(cacheOf(trips).find.key('1'))).toBeUndefined()
  expect(await trips.find('1')).toBe('1 2')
})

it('tells the cache', () => {
  const cache = cacheForTest()
  const { trips } = counted()
  expect(cacheOf(trips).find.cache).toBe(cache)
})

it('refuses methods without @Cached and what has no methods', async () => {
  const { trips } = counted()
  const refused = expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining('no method plain') })
  expect(() => cacheOf(trips).plain).toThrow(refused)
  expect(() => cacheOf(null as never)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
  // It can be returned from an async function, which looks for `then`.
  expect(typeof (await cacheOf(trips))).toBe('object')
})
