import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Cache, CacheOptions } from '../../src/index.js'
import type { Shared } from '../../src/flight/index.js'
import { failureOf } from '../behaviour/failure-of.js'
import { heldLoader } from '../behaviour/held-loader.js'
import { openedCache } from './opened.js'

const down = () => Promise.reject(new Error('down'))
const labels = { tags: ['a', 'b'], room: 'r' }
const sizes = ({ flights, fences, tokens, memory }: Shared) => ({
  flights: flights.size,
  fences: fences.size,
  tokens: tokens.size,
  entries: memory.size,
  timers: vi.getTimerCount(),
})
const nothing = { flights: 0, fences: 0, tokens: 0, entries: 0, timers: 0 }

/** Each leaves nothing under way, and may leave entries. */
const uses: Record<string, (cache: Cache) => Promise<unknown>> = {
  'loads that were kept': async (cache) => {
    await cache.getOrSet('k', (ctx) => (ctx.tags('late'), ctx.room('late'), 'v'), labels)
    await cache.getOrSetMany(['a', 'b'], () => [['a', 1], ['b', 2]], labels)
  },
  'loads that were not kept': async (cache) => {
    await cache.getOrSet('undefined', () => undefined, labels)
    await cache.getOrSet('skipped', (ctx) => (ctx.tags('late'), ctx.skip('v')), labels)
    await cache.getOrSet('unstored', () => 'v', { ...labels, ttl: 0 })
    await cache.getOrSet('live', (ctx) => (ctx.tags('late'), () => {}), labels)
    await cache.getOrSet('bypassed', () => 'v', { ...labels, bypass: 'both' })
    await cache.getOrSet('outside', () => 'v', { ...labels, memory: false })
  },
  'loads that failed': async (cache) => {
    await Promise.allSettled([cache.getOrSet('k', down, labels), cache.getOrSet('k', down), cache.getOrSetMany(['a', 'b'], down, labels)])
    await expect(cache.getOrSet('refused', (ctx) => ctx.tags(''), labels)).rejects.toThrow()
  },
  'sets that were kept, replaced and refused': async (cache) => {
    await cache.set('k', 1, labels)
    await cache.set('k', 2, { tags: ['c'] })
    await cache.set('live', () => {}, labels)
    await cache.set('k', undefined, labels)
    await cache.set('huge', 'x'.repeat(200_000), labels)
    await cache.setMany([['a', 1], ['b', 2]], labels)
  },
  'invalidations of every kind while loads were under way': async (cache) => {
    for (const target of [{ key: 'k' }, { tag: 'a' }, { room: 'r' }, { pattern: '*' }, { all: true }]) {
      for (const mode of ['invalidate', 'expire'] as const) {
        const load = heldLoader()
        const calls = [cache.getOrSet('k', load, labels)]
        const first = await load.called(1)
        await cache[mode](target)
        calls.push(cache.getOrSet('k', load, labels))
        const second = await load.called(2)
        await cache[mode](target)
        await cache[mode](target)
        second.ctx.tags('late')
        first.succeed('v')
        second.succeed('w')
        await Promise.all(calls)
      }
    }
  },
  'tags that were expired, named late, invalidated and never used': async (cache) => {
    await cache.expire({ tag: 'never used' })
    await cache.invalidateTag('never used')
    for (let i = 0; i < 5; i++) {
      await cache.set(`k${i}`, i, labels)
      await cache.expire({ tags: ['a', 'b'] })
      await cache.expire({ tag: 'a' })
    }
    await cache.invalidate({ tags: ['a'], rooms: ['r'] })
    await cache.set('k', 1, labels)
    await cache.delete('k')
  },
  'calls that timed out': async (cache) => {
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { ...labels, hardTimeout: 100 }))
    const loading = await load.called()
    await vi.advanceTimersByTimeAsync(100)
    expect(await failure).toBeInstanceOf(Error)
    loading.succeed('v')
    await cache.set('stale', 'old', { ttl: 1, grace: '1h' })
    await vi.advanceTimersByTimeAsync(1)
    const slow = cache.getOrSet('stale', load, { ...labels, grace: '1h', softTimeout: 50 })
    const second = await load.called(2)
    await vi.advanceTimersByTimeAsync(50)
    expect(await slow).toBe('old')
    second.fail(new Error('down'))
    await vi.advanceTimersByTimeAsync(0)
  },
  'calls that gave up': async (cache) => {
    const patience = new AbortController()
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { ...labels, signal: patience.signal, hardTimeout: '1h' }))
    const loading = await load.called()
    patience.abort(new Error('enough'))
    expect(await failure).toBeInstanceOf(Error)
    loading.succeed('v')
    await vi.advanceTimersByTimeAsync(0)
    await expect(cache.getOrSet('k', load, { ...labels, signal: AbortSignal.abort() })).rejects.toThrow()
  },
  'renewals, good and bad': async (cache) => {
    await cache.set('good', 1, { ...labels, ttl: 100 })
    await cache.set('bad', 1, { ...labels, ttl: 100 })
    await vi.advanceTimersByTimeAsync(60)
    await cache.getOrSet('good', () => 2, { ...labels, refresh: 0.5 })
    await cache.getOrSet('bad', down, { ...labels, refresh: 0.5 })
    await vi.advanceTimersByTimeAsync(0)
  },
  'values renewed by notModified': async (cache) => {
    await cache.getOrSet('k', () => 1, { ...labels, ttl: 10, grace: '1h' })
    await vi.advanceTimersByTimeAsync(10)
    await cache.getOrSet<unknown>('k', (ctx) => ctx.notModified(), { grace: '1h' })
  },
  'namespaces within namespaces': async (cache) => {
    const below = cache.namespace('users').namespace('admins')
    await below.getOrSet('k', () => 1, labels)
    await cache.namespace('users').invalidate({ all: true })
    await below.set('k', 2, labels)
    await cache.namespace('users').expire({ all: true })
  },
  'entries pushed out by others': async (cache) => {
    for (let i = 0; i < 50; i++) await cache.set(`k${i}`, i, { tags: [`tag-${i}`], room: `room-${i}` })
  },
}

describe('what a cache holds on to', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  const options: CacheOptions = { memory: { maxEntries: 20, maxBytes: 100_000 }, graceRetry: 0 }

  it.each(Object.entries(uses))('is nothing once its entries are dropped, after %s', async (_, use) => {
    const { cache, inside } = openedCache(options)
    await use(cache)
    expect(sizes(inside)).toMatchObject({ flights: 0, fences: 0 })
    await cache.invalidate({ all: true })
    expect(sizes(inside)).toMatchObject({ flights: 0, fences: 0, tokens: 0, entries: 0 })
    await use(cache)
    await cache.close()
    expect(sizes(inside)).toMatchObject({ flights: 0, fences: 0, tokens: 0, entries: 0 })
    expect(cache.stats().loads.running).toBe(0)
  })

  it.each(Object.entries(uses))('is no timer, after %s', async (_, use) => {
    const { cache } = openedCache(options)
    await use(cache)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is nothing after all of it at once', async () => {
    const { cache, inside } = openedCache(options)
    const both = [...Object.values(uses), ...Object.values(uses).toReversed()]
    for (const [i, use] of both.entries()) await use(cache.namespace(`use-${i}`))
    await cache.close()
    expect(sizes(inside)).toEqual(nothing)
  })

  it('is no more than the tokens of the entries that are kept', async () => {
    const { cache, inside } = openedCache(options)
    for (let i = 0; i < 100; i++) await cache.set(`k${i}`, i, { tags: [`tag-${i}`] })
    // One for each of the twenty entries, and that of the namespace.
    expect(sizes(inside)).toMatchObject({ entries: 20, tokens: 21 })
    for (let i = 0; i < 100; i++) await cache.delete(`k${i}`)
    expect(inside.tokens.size).toBe(0)
  })

  it('ends with the loads that were under way at the close, even those that ignore their signal', async () => {
    const { cache, inside } = openedCache({ ttl: '10s', refresh: 0.5 })
    const load = heldLoader()
    await cache.set('renewed', 'old', labels)
    await vi.advanceTimersByTimeAsync(6000)
    await cache.getOrSet('renewed', load, labels)
    const call = cache.getOrSet('k', load, labels)
    const [renewal, loading] = [await load.called(1), await load.called(2)]
    expect(sizes(inside)).toMatchObject({ flights: 2, fences: 2 })
    await cache.close()
    expect(inside.memory.size).toBe(0)
    renewal.succeed('v')
    loading.succeed('v')
    await call
    expect(sizes(inside)).toEqual(nothing)
  })

  it('is a load that hangs, but its key is free again after thirty seconds without anybody', async () => {
    const { cache, inside } = openedCache()
    const failure = failureOf(cache.getOrSet('k', () => new Promise(() => {}), { ...labels, hardTimeout: 100 }))
    await vi.advanceTimersByTimeAsync(100)
    expect(await failure).toBeInstanceOf(Error)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
    expect(sizes(inside)).toMatchObject({ flights: 0, fences: 0, timers: 0 })
  })
})
