import { type Cache, createCache } from '@tiercel/core'
import { afterEach, expect, it, vi } from 'vitest'
import { createMessageCache, createQueryCache } from '../../src/query-cache/index.js'
import { describeEverywhere, type Ground, type RedisGround, soon } from '../ground/ground.js'

const caches: Cache[] = []

afterEach(() => Promise.all(caches.splice(0).map((cache) => cache.close())))

/** As of two processes; in memory there is one. */
async function two(ground: Ground): Promise<[Cache, Cache]> {
  const open = async () => {
    const { redis, target } = ground as RedisGround
    const cache = createCache({ redis: ground.hasRedis ? target(redis.url) : false, prefix: ground.prefix, deadline: '30s' })
    caches.push(cache)
    await cache.ready()
    return cache
  }
  const one = await open()
  return [one, ground.hasRedis ? await open() : one]
}

describeEverywhere('the query cache', (ground) => {
  it('finds rows whatever the order of the parameters, in every process (D4)', async () => {
    const [one, other] = (await two(ground)).map((cache) => createQueryCache({ cache })) as [ReturnType<typeof createQueryCache>, ReturnType<typeof createQueryCache>]
    await one.set('messages', { roomId: 'a', page: { from: 1, to: 2 }, none: undefined }, [{ id: 1 }], 60)
    expect(await other.get('messages', { page: { to: 2, from: 1 }, roomId: 'a' })).toEqual([{ id: 1 }])
    for (const params of [{ roomId: 'a', page: { from: 2, to: 1 } }, { roomId: 'a' }, undefined, ['a'], { roomId: 'a', page: { from: '1', to: 2 } }]) expect(await other.get('messages', params)).toBeUndefined()
    expect(await other.get('threads', { roomId: 'a', page: { from: 1, to: 2 } })).toBeUndefined()
    await other.delete('messages', { page: { from: 1, to: 2 }, roomId: 'a' })
    await vi.waitUntil(async () => (await one.get('messages', { roomId: 'a', page: { from: 1, to: 2 } })) === undefined, soon)
  })

  it('forgets by room and by pattern, in every process (D4)', async () => {
    const [one, other] = (await two(ground)).map((cache) => createQueryCache({ cache })) as [ReturnType<typeof createQueryCache>, ReturnType<typeof createQueryCache>]
    const fill = async () => {
      await one.set('messages', { roomId: 'a' }, ['a'], 60)
      await one.set('messages', { room_id: 'b' }, ['b'], 60)
      await one.set('members', { n: 1 }, ['m'], 60, { room: 'a' })
      await one.set('threads', { n: 1 }, ['t'], 60)
    }
    const left = async () => (await Promise.all([one.get('messages', { roomId: 'a' }), one.get('messages', { room_id: 'b' }), one.get('members', { n: 1 }), one.get('threads', { n: 1 })])).flat().filter((row) => row !== undefined)
    await fill()
    expect(await left()).toEqual(['a', 'b', 'm', 't'])
    await other.invalidateRoom('a')
    await vi.waitUntil(async () => (await left()).length === 2, soon)
    expect(await left()).toEqual(['b', 't'])
    await fill()
    await other.invalidatePattern('messages:*')
    await vi.waitUntil(async () => (await left()).length === 2, soon)
    expect(await left()).toEqual(['m', 't'])
  })

  it('asks once for all who ask at the same time, and again after its time', async () => {
    const cache = createQueryCache({ cache: (await two(ground))[0] })
    const query = vi.fn<() => Promise<number[]>>(() => Promise.resolve([1]))
    await Promise.all([cache.getOrQuery('q', 1, query, 0.1), cache.getOrQuery('q', 1, query, 0.1)])
    expect(query).toHaveBeenCalledTimes(1)
    await vi.waitUntil(async () => (await cache.get('q', 1)) === undefined, soon)
    await cache.getOrQuery('q', 1, query, 60)
    expect(query).toHaveBeenCalledTimes(2)
  })

  it('refuses names and parameters that could be taken for others', async () => {
    const cache = createQueryCache({ cache: (await two(ground))[0] })
    const circle: { self?: unknown } = {}
    circle.self = circle
    for (const [name, params] of [['', 1], ['a b', 1], ['a{', 1], ['q', circle], ['q', { f: () => {} }]] as const) {
      await expect(cache.get(name, params)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    }
    await cache.set('q', { n: 1n }, 'big', 60)
    expect([await cache.get('q', { n: 1 }), await cache.get('q', { n: 1n })]).toEqual([undefined, 'big'])
  })
})

describeEverywhere('the message cache', (ground) => {
  it('has a message analysed once for all processes, and forgets a kind of analysis everywhere (D2)', async () => {
    const [one, other] = (await two(ground)).map((cache) => createMessageCache<string>({ cache })) as [ReturnType<typeof createMessageCache<string>>, ReturnType<typeof createMessageCache<string>>]
    const analyse = vi.fn<() => string>(() => 'friendly')
    expect(await one.getOrAnalyse('Hello', analyse)).toBe('friendly')
    expect(await other.getOrAnalyse('Hello', analyse)).toBe('friendly')
    expect([await other.get('Hello'), await other.get('Hello', 'language'), await other.get('hello')]).toEqual(['friendly', undefined, undefined])
    expect(analyse).toHaveBeenCalledTimes(1)
    await other.set('Hello', 'en', 'language')
    expect(await one.get('Hello', 'language')).toBe('en')
    await one.invalidateKind()
    await vi.waitUntil(async () => (await other.get('Hello')) === undefined, soon)
    expect(await other.get('Hello', 'language')).toBe('en')
    await other.invalidateKind('language')
    await vi.waitUntil(async () => (await one.get('Hello', 'language')) === undefined, soon)
  })
})
