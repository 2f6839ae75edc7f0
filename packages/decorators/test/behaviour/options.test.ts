import { expect, it, vi } from 'vitest'
import { CacheConfig, Cached, cacheOf, type CachedOptions } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

const soon = { timeout: 30_000 }

/** A method with these options that says how often it ran, or fails while it is told to. */
function counted(options: CachedOptions<readonly [id: string], number>) {
  const state = { runs: 0, isDown: false }
  class Trips {
    @Cached(options)
    async find(_id: string): Promise<number> {
      if (state.isDown) throw new Error('down')
      return ++state.runs
    }
  }
  return { trips: new Trips(), state }
}

it('takes the TTL of the method, else of the class, else of the cache', async () => {
  const cache = cacheForTest({ ttl: '3h' })
  @CacheConfig({ ttl: '2h' })
  class Trips {
    @Cached({ ttl: '1h' })
    async one() {
      return 1
    }
    @Cached()
    async two() {
      return 2
    }
    @Cached({ ttl: undefined })
    async too() {
      return 2
    }
  }
  class Others {
    @Cached()
    async three() {
      return 3
    }
  }
  const trips = new Trips()
  await Promise.all([trips.one(), trips.two(), trips.too(), new Others().three()])
  const hours = await Promise.all(['Trips.one()', 'Trips.two()', 'Trips.too()', 'Others.three()'].map(async (key) => Math.ceil(((await cache.ttl(key)) ?? 0) / 3_600_000)))
  expect(hours).toEqual([1, 2, 2, 3])
})

it('takes the options of a class over those of the class above', async () => {
  const cache = cacheForTest()
  @CacheConfig({ ttl: '2h', tags: ['base'] })
  class Base {
    @Cached()
    async find() {
      return 1
    }
  }
  @CacheConfig({ ttl: '1h' })
  class Special extends Base {}
  await new Special().find()
  expect((await cache.ttl('Special/Base.find()')) ?? Infinity).toBeLessThanOrEqual(3_600_000)
  await cache.invalidateTag('base')
  expect(cache.peek('Special/Base.find()')).toBeUndefined()
})

it('takes a TTL by the arguments, and one by the result before that', async () => {
  const cache = cacheForTest()
  class Trips {
    @Cached({ ttl: (id: string) => (id === 'long' ? '2h' : '1h'), resultTtl: (result: string | null) => (result === null ? '1m' : undefined) })
    async find(id: string): Promise<string | null> {
      return id === 'none' ? null : id
    }
  }
  const trips = new Trips()
  await Promise.all(['long', 'short', 'none'].map((id) => trips.find(id)))
  const minutes = await Promise.all(['long', 'short', 'none'].map(async (id) => Math.ceil(((await cache.ttl(cacheOf(trips).find.key(id))) ?? 0) / 60_000)))
  expect(minutes).toEqual([120, 60, 1])
})

it('labels by arguments, by result and with fixed tags, so that each can be invalidated', async () => {
  const cache = cacheForTest()
  let runs = 0
  class Trips {
    @Cached({ tags: ['trips'], room: (id: string) => `room of ${id}` })
    async one(id: string) {
      return { id, run: ++runs }
    }
    @Cached({ tags: (id: string) => [`tag of ${id}`], resultTags: (result: { run: number }, id: string) => [`${result.run > 0} ${id}`], resultRoom: (result: { id: string }) => `found ${result.id}` })
    async two(id: string) {
      return { id, run: ++runs }
    }
  }
  const trips = new Trips()
  const call = async () => (await Promise.all([trips.one('1'), trips.two('1')])).map(({ run }) => run)
  const drops = [{ tag: 'trips' }, { room: 'room of 1' }, { tag: 'tag of 1' }, { tag: 'true 1' }, { room: 'found 1' }, { room: 'another' }]
  const seen: number[][] = [await call()]
  for (const target of drops) {
    await cache.invalidate(target)
    seen.push(await call())
  }
  expect(seen).toEqual([[1, 2], [3, 2], [4, 2], [4, 5], [4, 6], [4, 7], [4, 7]])
})

it('lets a room by result take the place of that of the class', async () => {
  const cache = cacheForTest()
  @CacheConfig({ room: 'of the class' })
  class Trips {
    @Cached({ resultRoom: () => undefined })
    async none() {
      return 1
    }
    @Cached()
    async both() {
      return 1
    }
  }
  const trips = new Trips()
  await Promise.all([trips.none(), trips.both()])
  await cache.invalidateRoom('of the class')
  expect([cache.peek('Trips.none()'), cache.peek('Trips.both()')]).toEqual([1, undefined])
})

it('does not use the cache when `when` says so', async () => {
  cacheForTest()
  const { trips, state } = counted({ when: (id) => id !== 'live' })
  expect([await trips.find('1'), await trips.find('1'), await trips.find('live'), await trips.find('live')]).toEqual([1, 1, 2, 3])
  expect(state.runs).toBe(3)
})

it('does not keep a result that `unless` names', async () => {
  cacheForTest()
  const { trips } = counted({ unless: (result, id) => id === 'first' && result === 1 })
  expect([await trips.find('first'), await trips.find('first'), await trips.find('first')]).toEqual([1, 2, 2])
})

it('calls all functions among the options with the object', async () => {
  cacheForTest()
  const seen: unknown[] = []
  const see = <T>(value: T) =>
    function (this: unknown): T {
      seen.push(this)
      return value
    }
  const { trips } = counted({ key: see('k'), ttl: see(1000), tags: see(['t']), room: see('r'), when: see(true), unless: see(false), resultTtl: see(undefined), resultTags: see(['u']), signal: see(undefined) })
  await trips.find('1')
  expect(seen.length).toBe(9)
  expect(seen.every((self) => self === trips)).toBe(true)
})

it('serves what is left of an older value when the method fails, within grace', async () => {
  const errors: unknown[] = []
  cacheForTest()
  const { trips, state } = counted({ grace: '1h', onError: (error) => errors.push(error) })
  await trips.find('1')
  await cacheOf(trips).find.expire('1')
  state.isDown = true
  expect(await trips.find('1')).toBe(1)
  expect(errors).toMatchObject([{ message: 'down' }])
})

it('gives up after the hardTimeout', async () => {
  cacheForTest()
  class Trips {
    @Cached({ hardTimeout: 1 })
    find(): Promise<number> {
      return new Promise(() => {})
    }
  }
  await expect(new Trips().find()).rejects.toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
})

it('serves the older value after the softTimeout', async () => {
  cacheForTest()
  let isSlow = false
  class Trips {
    @Cached({ softTimeout: 1, grace: '1h' })
    async find() {
      return isSlow ? new Promise<number>(() => {}) : 1
    }
  }
  const trips = new Trips()
  await trips.find()
  await cacheOf(trips).find.expire()
  isSlow = true
  expect(await trips.find()).toBe(1)
})

it('renews in the background after the part of the TTL that refresh says', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    cacheForTest()
    const { trips, state } = counted({ ttl: 1000, refresh: 0.5 })
    await trips.find('1')
    vi.advanceTimersByTime(600)
    expect(await trips.find('1')).toBe(1)
    await vi.waitFor(() => expect(state.runs).toBe(2), soon)
    await vi.waitFor(async () => expect(await trips.find('1')).toBe(2), soon)
  } finally {
    vi.useRealTimers()
  }
})

it('shortens the TTL by jitter', async () => {
  const cache = cacheForTest()
  vi.spyOn(Math, 'random').mockReturnValue(0.99)
  const { trips } = counted({ ttl: '1h', jitter: 0.5 })
  await trips.find('1')
  vi.restoreAllMocks()
  expect((await cache.ttl(cacheOf(trips).find.key('1'))) ?? Infinity).toBeLessThan(3_000_000)
})

it('does not keep null with cacheNull: false', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached({ cacheNull: false })
    async find() {
      runs++
      return null
    }
  }
  const trips = new Trips()
  await trips.find()
  await trips.find()
  expect(runs).toBe(2)
})

it.each([
  [{ memory: false }, 2],
  [{ bypass: 'read' }, 2],
  [{ bypass: 'write' }, 2],
  [{ bypass: 'both' }, 2],
  [{ redis: false }, 1],
  [{ ttl: 0 }, 2],
  [{ graceRetry: '1s' }, 1],
] as const)('hands %j on to the core', async (options, runs) => {
  cacheForTest()
  const { trips, state } = counted(options)
  await trips.find('1')
  await trips.find('1')
  expect(state.runs).toBe(runs)
})

it('gives up waiting for a call whose signal is aborted', async () => {
  cacheForTest()
  const controller = new AbortController()
  let isAsked = () => {}
  const asked = new Promise<void>((resolve) => (isAsked = resolve))
  class Trips {
    @Cached({ key: (id: string) => id, signal: (_id: string, signal?: AbortSignal) => signal })
    find(_id: string, _signal?: AbortSignal): Promise<number> {
      isAsked()
      return new Promise(() => {})
    }
  }
  const call = new Trips().find('1', controller.signal)
  await asked
  controller.abort(new Error('gone'))
  await expect(call).rejects.toThrow('gone')
})

it('rejects a call whose label is none, before the method runs', async () => {
  cacheForTest()
  const { trips, state } = counted({ room: () => '' })
  await expect(trips.find('1')).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TAG' })
  expect(state.runs).toBe(0)
})
