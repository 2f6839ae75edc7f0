import { afterAll, beforeAll, expect, it } from 'vitest'
import { Cached, cacheOf } from '@tiercel/decorators'
import { describeWithRedis, useRedis, type SharedRedis } from '../../../core/test/redis/server/index.js'
import { cacheForTest } from '../ground.js'

class Trip {
  constructor(
    readonly id: string,
    readonly at = new Date(0),
  ) {}
  get title() {
    return `Trip ${this.id}`
  }
}

class SpecialTrip extends Trip {
  override get title() {
    return `special ${super.title}`
  }
}

function trips() {
  let runs = 0
  class Trips {
    @Cached({ returns: () => Trip })
    async find(id: string): Promise<Trip | null> {
      runs++
      return id === 'none' ? null : new Trip(id)
    }
    @Cached({ returns: () => Trip })
    async list(...ids: string[]): Promise<Trip[]> {
      runs++
      return ids.map((id) => new Trip(id))
    }
    @Cached()
    async plain(id: string): Promise<Trip> {
      runs++
      return new Trip(id)
    }
    @Cached({ returns: () => Trip })
    async special(id: string): Promise<Trip> {
      return new SpecialTrip(id)
    }
    @Cached({ returns: () => Trip })
    async frozen(): Promise<Trip> {
      return Object.freeze({ id: 'f', at: new Date(0), title: 'frozen' })
    }
  }
  return { trips: new Trips(), runs: () => runs }
}

it('gives copies their class again, where it is named', async () => {
  cacheForTest({ clone: true })
  const { trips: t, runs } = trips()
  for (let i = 0; i < 2; i++) {
    const found = await t.find('1')
    expect(found).toBeInstanceOf(Trip)
    expect(found?.title).toBe('Trip 1')
    expect((await t.list('1', '2')).map((trip) => trip instanceof Trip && trip.title)).toEqual(['Trip 1', 'Trip 2'])
  }
  expect([await t.find('none'), await t.find('none')]).toEqual([null, null])
  expect(runs()).toBe(3)
  await t.plain('1')
  expect((await t.plain('1')).title).toBeUndefined()
  expect((await cacheOf(t).find.get('1'))?.title).toBe('Trip 1')
})

it('leaves an instance of another class what it is', async () => {
  cacheForTest()
  const { trips: t } = trips()
  await t.special('1')
  expect((await t.special('1')).title).toBe('special Trip 1')
})

it('leaves alone what the method itself gives without its class and cannot be changed', async () => {
  cacheForTest()
  const { trips: t } = trips()
  expect([(await t.frozen()).title, (await t.frozen()).title]).toEqual(['frozen', 'frozen'])
})

describeWithRedis('values from Redis', () => {
  let redis: SharedRedis
  beforeAll(async () => {
    redis = await useRedis()
  })
  afterAll(() => redis.stop())

  it('come back as instances of their class, with their fields as they were', async () => {
    const prefix = `decorators-${process.pid}-${process.hrtime.bigint()}:`
    const options = { redis: redis.url, prefix, deadline: '10s', maxStaleness: '1m' } as const
    cacheForTest(options)
    const { trips: t, runs } = trips()
    await Promise.all([t.find('1'), t.list('1', '2')])
    // As another process would: nothing in memory.
    cacheForTest(options)
    const [found, list] = await Promise.all([t.find('1'), t.list('1', '2')])
    expect(found).toEqual(new Trip('1'))
    expect(found?.title).toBe('Trip 1')
    expect(list.map(({ title }) => title)).toEqual(['Trip 1', 'Trip 2'])
    expect(await t.find('1')).toBe(found)
    expect(runs()).toBe(2)
  })
})
