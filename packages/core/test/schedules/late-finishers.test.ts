import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Cache, CacheOptions } from '../../src/index.js'
import { memoryCache } from './opened-cache.js'
import { down, settled, slowLoad } from './slow-load.js'
import { ways } from './ways-to-invalidate.js'

const KEY = 'user:1'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function namespaces(options: CacheOptions) {
  const above = memoryCache(options).namespace('above')
  return { above, cache: above.namespace('below') }
}

describe.for(ways)('after an invalidation by $by nothing is kept of a load that', ({ labels, invalidate }) => {
  test('renewed in the background', async () => {
    const { cache, above } = namespaces({ ttl: 100 })
    await cache.set(KEY, 'old', labels)
    vi.advanceTimersByTime(90)
    const renewal = slowLoad(cache, KEY, { ...labels, refresh: 0.8 })
    expect(await renewal.answer).toBe('old')
    await renewal.begun
    await invalidate(cache, above)
    await renewal.finish('also old')
    await settled()
    expect(cache.peek(KEY)).toBeUndefined()
    expect(cache.stats().fenced).toBe(1)
  })

  test('was too slow for its caller, who had a stale value', async () => {
    const { cache, above } = namespaces({ ttl: 100, grace: '1h' })
    await cache.set(KEY, 'stale', labels)
    vi.advanceTimersByTime(200)
    const load = slowLoad(cache, KEY, { ...labels, softTimeout: 10 })
    await load.begun
    vi.advanceTimersByTime(10)
    expect(await load.answer).toBe('stale')
    await invalidate(cache, above)
    await load.finish('old')
    await settled()
    expect(cache.peek(KEY)).toBeUndefined()
    expect(await cache.getOrSet(KEY, () => 'new', labels)).toBe('new')
  })

  test('was too slow for its caller, who had nothing', async () => {
    const { cache, above } = namespaces({})
    const load = slowLoad(cache, KEY, { ...labels, hardTimeout: 10 })
    await load.begun
    vi.advanceTimersByTime(10)
    await expect(load.answer).rejects.toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
    await invalidate(cache, above)
    const after = cache.getOrSet(KEY, () => 'new', labels)
    await load.finish('old').catch(() => {})
    expect(await after).toBe('new')
    await settled()
    expect(cache.peek(KEY)).toBe('new')
  })
})

describe.for(ways)('an invalidation by $by while a call waits with a stale value at hand', ({ labels, invalidate }) => {
  test('keeps it from being served when the load fails', async () => {
    const { cache, above } = namespaces({ ttl: 100, grace: '1h' })
    await cache.set(KEY, 'stale', labels)
    vi.advanceTimersByTime(200)
    const load = slowLoad(cache, KEY, labels)
    await load.begun
    await invalidate(cache, above)
    await expect(load.fail(down)).rejects.toBe(down)
  })

  test('keeps it from being served when the load is slow', async () => {
    const { cache, above } = namespaces({ ttl: 100, grace: '1h' })
    await cache.set(KEY, 'stale', labels)
    vi.advanceTimersByTime(200)
    const load = slowLoad(cache, KEY, { ...labels, softTimeout: 10 })
    await load.begun
    await invalidate(cache, above)
    vi.advanceTimersByTime(10)
    await settled()
    expect(await load.finish('loaded')).toBe('loaded')
    expect(cache.peek(KEY)).toBeUndefined()
  })
})

test('a load that was too slow for its caller is joined by the next and kept', async () => {
  const { cache } = namespaces({})
  const load = slowLoad(cache, KEY, { hardTimeout: 10 })
  await load.begun
  vi.advanceTimersByTime(10)
  await expect(load.answer).rejects.toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
  const next = cache.getOrSet(KEY, () => 'a second load')
  await load.finish('loaded').catch(() => {})
  expect(await next).toBe('loaded')
  expect(cache.peek(KEY)).toBe('loaded')
})

test('a load nobody waits for any more is given up after half a minute: it is kept from then on by nobody, and the key is free', async () => {
  const { cache } = namespaces({})
  const load = slowLoad(cache, KEY, { hardTimeout: 10 })
  const ctx = await load.begun
  vi.advanceTimersByTime(10)
  await expect(load.answer).rejects.toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
  vi.advanceTimersByTime(30_000)
  expect(ctx.signal.aborted).toBe(true)
  expect(await cache.getOrSet(KEY, () => 'new')).toBe('new')
  await load.finish('old').catch(() => {})
  expect(cache.peek(KEY)).toBe('new')
})

test('when all who wait give up, the load is told, keeps nothing and is not joined', async () => {
  const { cache } = namespaces({})
  const callers = [new AbortController(), new AbortController()]
  const load = slowLoad(cache, KEY, { signal: (callers[0] as AbortController).signal })
  const ctx = await load.begun
  const second = cache.getOrSet(KEY, () => 'not loaded', { signal: (callers[1] as AbortController).signal })
  await settled()
  callers[0]?.abort()
  await expect(load.answer).rejects.toMatchObject({ name: 'AbortError' })
  expect(ctx.signal.aborted).toBe(false)
  callers[1]?.abort()
  await expect(second).rejects.toMatchObject({ name: 'AbortError' })
  expect(ctx.signal.aborted).toBe(true)
  expect(await cache.getOrSet(KEY, () => 'new')).toBe('new')
  await load.finish('old').catch(() => {})
  expect(cache.peek(KEY)).toBe('new')
})

/** A load whose only caller gives up, and which then stops as it is told to. */
async function givenUp(cache: Cache) {
  const controller = new AbortController()
  const load = slowLoad(cache, 'k', { signal: controller.signal })
  const { signal } = await load.begun
  controller.abort()
  await expect(load.answer).rejects.toMatchObject({ name: 'AbortError' })
  await load.fail(signal.reason as Error).catch(() => {})
  await settled()
}

test('a load that stops as it is told to when all have given up does not keep others from loading', async () => {
  const cache = memoryCache({ grace: '1h' })
  await cache.set('k', 'stale')
  await cache.expire({ key: 'k' })
  await givenUp(cache)
  expect(await cache.getOrSet('k', () => 'new')).toBe('new')
})

test('a load that stops as it is told to when all have given up is not reported as an error', async () => {
  const cache = memoryCache()
  const errors: unknown[] = []
  cache.on('error', ({ error }) => errors.push(error))
  await givenUp(cache)
  expect(errors).toEqual([])
})

test('a load that fails after it was too slow for its caller is reported all the same', async () => {
  const cache = memoryCache({ grace: '1h' })
  await cache.set('k', 'stale')
  await cache.expire({ key: 'k' })
  const errors: unknown[] = []
  cache.on('error', ({ error }) => errors.push(error))
  const load = slowLoad(cache, 'k', { hardTimeout: 10 })
  await load.begun
  vi.advanceTimersByTime(10)
  expect(await load.answer).toBe('stale')
  await load.fail(down).catch(() => {})
  await settled()
  expect(errors).toContain(down)
})
