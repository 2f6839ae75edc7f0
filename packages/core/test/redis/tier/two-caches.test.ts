import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Cache, CacheOptions, InvalidateTarget } from '../../../src/index.js'
import { heldLoader } from '../../behaviour/held-loader.js'
import { describeWithRedis } from '../server/index.js'
import { soon, useTier } from './tier.js'

const down = () => Promise.reject(new Error('down'))
const labels = { tags: ['t'], room: 'r' }

describeWithRedis('two caches on one Redis', () => {
  const tier = useTier()
  const both = (options?: CacheOptions): Promise<[Cache, Cache]> => Promise.all([tier.open(options), tier.open(options)])
  let markers = 0
  /** Resolves when one cache has heard all that the other has said so far: messages arrive in order. */
  const hears = async (cache: Cache, from: Cache) => {
    const marker = `marker:${markers++}`
    await cache.set(marker, 1)
    await from.invalidate({ key: marker })
    await vi.waitUntil(() => cache.peek(marker) === undefined, soon)
  }

  it('load once: what one has loaded the other finds', async () => {
    const [one, other] = await both()
    const load = vi.fn(() => ({ name: 'Ada' }))
    await one.getOrSet('k', load)
    expect(await other.getOrSet('k', load)).toEqual({ name: 'Ada' })
    expect(await other.get('k')).toEqual({ name: 'Ada' })
    expect(load).toHaveBeenCalledTimes(1)
    expect(other.stats()).toMatchObject({ redis: { hits: 1 }, memory: { hits: 1 }, misses: 0, loads: { started: 0 } })
  })

  it('load once for a thousand who ask both at the same time for a cold key', async () => {
    const caches = await both()
    const load = heldLoader()
    const all = Promise.all(caches.flatMap((cache) => Array.from({ length: 500 }, () => cache.getOrSet('k', load))))
    ;(await load.called()).succeed('v')
    expect(new Set(await all)).toEqual(new Set(['v']))
    expect(load.calls).toHaveLength(1)
  })

  it('load once also when they are asked before they have connected', async () => {
    const caches = [tier.opening(), tier.opening()]
    const load = vi.fn(() => 'v')
    await Promise.all(caches.map((cache) => cache.getOrSet('k', load)))
    await Promise.all(caches.map((cache) => cache.getOrSet('k', load)))
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('share what is set, null too, and nothing where there is nothing', async () => {
    const [one, other] = await both()
    await one.setMany([['a', null], ['b', 0], ['c', undefined]])
    expect([...(await other.getMany(['a', 'b', 'c']))]).toEqual([['a', null], ['b', 0]])
    expect(await other.has('a')).toBe(true)
    expect(await other.has('c')).toBe(false)
  })

  it('tell the same time left, and end together', async () => {
    const [one, other] = await both()
    await one.set('k', 1, { ttl: '10m' })
    const [here, there] = [Number(await one.ttl('k')), Number(await other.ttl('k'))]
    // The time of Redis is known to within a round trip, which a busy machine makes long.
    expect(Math.abs(here - there)).toBeLessThan(60_000)
    expect(there).toBeGreaterThan(540_000)
  })

  describe('of which one forgets', () => {
    it.each<InvalidateTarget>([{ key: 'k' }, { keys: ['x', 'k'] }, { tag: 't' }, { room: 'r' }, { pattern: 'k*' }, { all: true }])(
      'make the other forget too: %j',
      async (target) => {
        const [one, other] = await both()
        await one.set('k', 'old', labels)
        await hears(other, one)
        expect(await other.get('k')).toBe('old')
        expect(await one.invalidate(target)).toMatchObject({ durable: true })
        await hears(other, one)
        expect(other.peek('k')).toBeUndefined()
        expect(await other.getOrSet('k', () => 'new', labels)).toBe('new')
        expect(await one.get('k')).toBe('new')
      },
    )

    it.each<InvalidateTarget>([{ key: 'k' }, { tag: 't' }, { room: 'r' }, { pattern: 'k*' }, { all: true }])('drop grace in both: %j', async (target) => {
      const [one, other] = await both({ grace: '1h' })
      await one.set('k', 'old', labels)
      await other.get('k')
      await one.invalidate(target)
      await hears(other, one)
      for (const cache of [one, other]) await expect(cache.getOrSet('k', down, labels)).rejects.toThrow('down')
    })

    it('make it forget what is in its memory only by the tags of the entry, which it was not asked by', async () => {
      const [one, other] = await both()
      await one.set('k', 'old', labels)
      await other.get('k')
      await one.invalidateTag('t')
      await hears(other, one)
      expect(await other.get('k')).toBeUndefined()
    })

    it('leave the rest alone', async () => {
      const [one, other] = await both()
      await one.set('k', 1, labels)
      await one.set('kept', 1, { tags: ['t2'] })
      await hears(other, one)
      await other.getMany(['k', 'kept'])
      await one.invalidate({ key: 'k', tag: 't' })
      await hears(other, one)
      expect(other.peek('kept')).toBe(1)
    })

    it('make the other forget what a namespace has, and no other', async () => {
      const [one, other] = await both()
      const of = (cache: Cache) => [cache, cache.namespace('users'), cache.namespace('users:admins'), cache.namespace('teams')] as const
      for (const cache of of(one)) await cache.set('k', 1)
      for (const cache of of(other)) await cache.get('k')
      await one.namespace('users').invalidate({ all: true })
      await hears(other, one)
      const found = await Promise.all(of(other).map((cache) => cache.get('k')))
      expect(found).toEqual([1, undefined, undefined, 1])
    })

    it('are served none that is older, though they have just read one that is newer', async () => {
      const one = await tier.open()
      await one.setMany([['older', 1], ['of then', 1]])
      await one.invalidate({ all: true })
      await one.setMany([['newer', 2], ['another', 2]])
      await one.set('tagged', 2, labels)
      await one.invalidate({ tag: 't' })
      const other = await tier.open()
      for (const key of ['newer', 'another']) expect(await other.get(key)).toBe(2)
      for (const key of ['older', 'of then', 'tagged']) expect(await other.get(key)).toBeUndefined()
      expect(await other.get('newer', { memory: false })).toBe(2)
    })

    it('count what a key or pattern has dropped in Redis, though memory here had none of it', async () => {
      const [one, other] = await both()
      await one.setMany([['user:1', 1], ['user:2', 2], ['team:1', 1]])
      expect(await other.invalidate({ pattern: 'user:*' })).toEqual({ durable: true, count: 2 })
      expect(await other.invalidate({ keys: ['team:1', 'missing'] })).toEqual({ durable: true, count: 1 })
    })

    it('forget by pattern thousands of keys, and what is in the memory of the other', async () => {
      const [one, other] = await both()
      const keys = Array.from({ length: 3000 }, (_, i) => `user:${i}`)
      for (let i = 0; i < keys.length; i += 100) await one.setMany(keys.slice(i, i + 100).map((key) => [key, 1]))
      await one.set('team:1', 1)
      await hears(other, one)
      await other.getMany([...keys.slice(0, 300), 'team:1'])
      expect(await one.invalidatePattern('user:*')).toEqual({ durable: true, count: 3000 })
      await hears(other, one)
      expect(await other.getMany(keys)).toEqual(new Map())
      expect(await other.get('team:1')).toBe(1)
    })

    it('drop by pattern a key whose name is shortened, if it begins like it', async () => {
      const [one, other] = await both()
      const long = `user:${'x'.repeat(300)}`
      await one.setMany([[long, 1], [`other:${long}`, 1]])
      await other.invalidatePattern('user:*')
      await hears(one, other)
      expect(await one.getMany([long, `other:${long}`])).toEqual(new Map([[`other:${long}`, 1]]))
    })
  })

  it('make each other read anew what one has set', async () => {
    const [one, other] = await both()
    await one.set('k', 'old')
    await other.get('k')
    await one.set('k', 'new')
    await hears(other, one)
    expect(await other.get('k')).toBe('new')
    await other.setMany([['k', 'newer'], ['l', 1]])
    await hears(one, other)
    expect(await one.get('k')).toBe('newer')
  })

  it('empty a key that one sets to what cannot be kept', async () => {
    const [one, other] = await both()
    await one.set('k', 'old')
    await other.get('k')
    expect(await one.set('k', undefined)).toBe(false)
    await hears(other, one)
    expect(await other.get('k')).toBeUndefined()
  })

  it.each<InvalidateTarget>([{ key: 'k' }, { tag: 't' }, { room: 'r' }, { pattern: 'k*' }, { all: true }])('leave grace to both when one expires: %j', async (target) => {
    const [one, other] = await both({ grace: '1h' })
    await one.set('k', 'old', labels)
    await other.get('k')
    await one.expire(target)
    await hears(other, one)
    const third = await tier.open({ grace: '1h' })
    // The third has nothing in memory: its grace is what Redis has.
    for (const cache of [other, third]) {
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getOrSet('k', (ctx) => ctx.stale?.value, { ...labels, bypass: 'write' })).toBe('old')
    }
    expect(await third.getOrSet('k', down, labels)).toBe('old')
    expect(await other.getOrSet('k', () => 'new', labels)).toBe('new')
    await vi.waitUntil(async () => (await third.get('k')) === 'new', soon)
  })

  it('give a value a new TTL in both', async () => {
    const [one, other] = await both({ ttl: '1m' })
    await one.set('k', 'v', labels)
    await other.get('k')
    expect(await one.touch('k', '1h')).toBe(true)
    await vi.waitUntil(async () => Number(await other.ttl('k')) > 3_000_000, soon)
    expect(await other.get('k')).toBe('v')
    await other.invalidateTag('t')
    await hears(one, other)
    expect(await one.get('k')).toBeUndefined()
  })

  it('renew by etag what the other has loaded', async () => {
    const [one, other] = await both({ grace: '1h' })
    await one.getOrSet('k', (ctx) => (ctx.etag('e1'), ctx.tags('t'), 'v'))
    await one.expire({ key: 'k' })
    await hears(other, one)
    const seen = await other.getOrSet('k', (ctx) => {
      expect(ctx.stale).toEqual({ value: 'v', etag: 'e1' })
      return ctx.notModified() as string
    })
    expect(seen).toBe('v')
    expect(await one.get('k')).toBe('v')
    await one.invalidateTag('t')
    await hears(other, one)
    expect(await other.get('k')).toBeUndefined()
  })

  describe('loading many', () => {
    let one: Cache
    let other: Cache
    beforeEach(async () => {
      ;[one, other] = await both()
    })

    it('load each key once: what is theirs in one call, and wait for what is the other\u2019s', async () => {
      const first = heldLoader<[string, string][]>()
      const early = one.getOrSetMany(['a', 'b'], (_, ctx) => first(ctx as never))
      const loading = await first.called()
      const load = vi.fn((missing: string[]) => missing.map((key) => [key, `${key} of the other`] as const))
      const late = other.getOrSetMany(['a', 'b', 'c', 'd'], load)
      await vi.waitUntil(() => load.mock.calls.length === 1, soon)
      loading.succeed([['a', 'A'], ['b', 'B']])
      expect(await early).toEqual(new Map([['a', 'A'], ['b', 'B']]))
      expect(await late).toEqual(new Map([['a', 'A'], ['b', 'B'], ['c', 'c of the other'], ['d', 'd of the other']]))
      expect(load.mock.calls.map(([missing]) => missing)).toEqual([['c', 'd']])
      expect(await one.getMany(['c', 'd'])).toEqual(new Map([['c', 'c of the other'], ['d', 'd of the other']]))
    })

    it('load in one more call what the other was to load and did not', async () => {
      const first = heldLoader<[string, string][]>()
      const early = one.getOrSetMany(['a', 'b'], (_, ctx) => first(ctx as never))
      const failure = early.catch((error: Error) => error.message)
      const loading = await first.called()
      const load = vi.fn((missing: string[]) => missing.map((key) => [key, key.toUpperCase()] as const))
      const late = other.getOrSetMany(['a', 'b', 'c'], load)
      await vi.waitUntil(() => load.mock.calls.length === 1, soon)
      loading.fail(new Error('down'))
      expect(await failure).toBe('down')
      expect(await late).toEqual(new Map([['a', 'A'], ['b', 'B'], ['c', 'C']]))
      expect(load.mock.calls.flatMap(([missing]) => missing).sort()).toEqual(['a', 'b', 'c'])
    })

    it('do not wait for what the other renews, as long as what they have is good', async () => {
      const soonDue = { ttl: '1h', refresh: 0.000_001 } as const
      await one.set('a', 'A', soonDue)
      expect(await other.get('a')).toBe('A')
      const due = performance.now() + 10
      await vi.waitUntil(() => performance.now() > due, soon)
      const renewal = heldLoader()
      expect(await other.getOrSet('a', renewal, soonDue)).toBe('A')
      const renewing = await renewal.called()
      const load = vi.fn((missing: string[]) => missing.map((key) => [key, key.toUpperCase()] as const))
      expect(await one.getOrSetMany(['a', 'b'], load, soonDue)).toEqual(new Map([['a', 'A'], ['b', 'B']]))
      expect(load.mock.calls.map(([missing]) => missing)).toEqual([['b']])
      renewing.succeed('newer')
    })

    it('find what the other has, and load the rest', async () => {
      await one.setMany([['a', 'A'], ['b', 'B']])
      const load = vi.fn((missing: string[]) => missing.map((key) => [key, key.toUpperCase()] as const))
      expect([...(await other.getOrSetMany(['c', 'b', 'a'], load))]).toEqual([['c', 'C'], ['b', 'B'], ['a', 'A']])
      expect(load).toHaveBeenCalledWith(['c'], expect.anything())
    })
  })

  it('go by tags and rooms that only the loader named', async () => {
    const [one, other] = await both()
    for (const [key, target] of [['a', { tag: 'late' }], ['b', { room: 'late' }]] as const) {
      await one.getOrSet(key, (ctx) => (ctx.tags('late'), ctx.room('late'), 'old'))
      expect(await other.get(key)).toBe('old')
      await other.invalidate(target)
      await hears(one, other)
      expect(await one.get(key)).toBeUndefined()
    }
  })

  it('load anew at once when the load of one has failed', async () => {
    const [one, other] = await both()
    const load = heldLoader()
    const failing = one.getOrSet('k', load).catch((error: Error) => error.message)
    const loading = await load.called()
    const waiting = other.getOrSet('k', () => 'mine')
    loading.fail(new Error('down'))
    expect(await failing).toBe('down')
    expect(await waiting).toBe('mine')
  })

  it('renew early in one of them only', async () => {
    const [one, other] = await both({ ttl: '1m', refresh: 0.001 })
    await one.set('k', 'old')
    await other.get('k')
    await vi.waitUntil(async () => Number(await other.ttl('k')) < 59_900, soon)
    const load = heldLoader()
    await one.getOrSet('k', load)
    const loading = await load.called()
    const never = vi.fn(() => 'not asked')
    expect(await other.getOrSet('k', never)).toBe('old')
    await vi.waitUntil(() => other.health().memory.runningLoads === 0, soon)
    loading.succeed('new')
    await vi.waitUntil(async () => (await one.get('k')) === 'new', soon)
    expect(never).not.toHaveBeenCalled()
  })

  it('do not mind when one of them is closed', async () => {
    const [one, other] = await both()
    await one.set('k', 1)
    await one.close()
    expect(await other.get('k')).toBe(1)
    expect(await other.invalidate({ key: 'k' })).toEqual({ durable: true, count: 1 })
  })
})
