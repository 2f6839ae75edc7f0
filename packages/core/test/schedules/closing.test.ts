import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openedCache } from './opened-cache.js'
import { settled, slowLoad, suspended } from './slow-load.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const nothing = { entries: 0, tokens: 0, fences: 0, flights: 0 }

function leftIn({ memory, tokens, fences, flights }: ReturnType<typeof openedCache>['shared']): typeof nothing {
  return { entries: memory.size, tokens: tokens.size, fences: fences.size, flights: flights.size }
}

test('whoever waits for a load when the cache closes gets its value, which is not kept', async () => {
  const { cache, shared } = openedCache()
  const load = slowLoad(cache, 'k', { tags: ['t'] })
  const ctx = await load.begun
  const joined = cache.getOrSet('k', () => 'not loaded')
  await cache.close()
  expect(ctx.signal.aborted).toBe(true)
  expect(ctx.signal.reason).toMatchObject({ code: 'TIERCEL_CLOSED' })
  expect(await load.finish('loaded')).toBe('loaded')
  expect(await joined).toBe('loaded')
  expect(leftIn(shared)).toEqual(nothing)
})

test('a batch, a renewal and a load too slow for its caller are all told, and end with nothing kept', async () => {
  const { cache, shared } = openedCache({ ttl: 100, grace: '1h' })
  await cache.set('renewed', 'old')
  vi.advanceTimersByTime(90)
  const renewal = slowLoad(cache, 'renewed', { refresh: 0.8 })
  const slow = slowLoad(cache, 'slow', { hardTimeout: 10 })
  let told: AbortSignal | undefined
  const loads = suspended<[string, string][]>()
  const batch = cache.getOrSetMany(['a', 'b'], (_, ctx) => {
    told = ctx.signal
    return loads.promise
  })
  const contexts = await Promise.all([renewal.begun, slow.begun])
  await settled()
  vi.advanceTimersByTime(10)
  await expect(slow.answer).rejects.toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
  await cache.close()
  expect([...contexts.map(({ signal }) => signal.aborted), told?.aborted]).toEqual([true, true, true])
  await renewal.finish('late')
  await slow.finish('late').catch(() => {})
  loads.resolve([['a', 'A'], ['b', 'B']])
  expect((await batch).size).toBe(2)
  await settled()
  expect(leftIn(shared)).toEqual(nothing)
  expect(vi.getTimerCount()).toBe(0)
})

test('calls after the close are refused, also those of a namespace and of a loader that is still running', async () => {
  const { cache } = openedCache()
  const namespace = cache.namespace('below')
  const load = slowLoad(cache, 'k')
  await load.begun
  await cache.close()
  const refused = { code: 'TIERCEL_CLOSED' }
  await expect(cache.getOrSet('other', () => 1)).rejects.toMatchObject(refused)
  await expect(namespace.getOrSet('other', () => 1)).rejects.toMatchObject(refused)
  await expect(cache.invalidate({ all: true })).rejects.toMatchObject(refused)
  expect(cache.peek('k')).toBeUndefined()
  await load.finish('loaded')
})

test('a signal that outlives many calls gathers no listeners', async () => {
  const { cache } = openedCache({ grace: '1h' })
  const { signal } = new AbortController()
  for (let i = 0; i < 50; i++) {
    await cache.getOrSet(`k${i}`, () => i, { signal })
    await cache.getOrSet(`k${i}`, () => i, { signal, bypass: 'read', hardTimeout: 1000 })
    await cache.getOrSetMany([`m${i}`, `n${i}`], (keys) => keys.map((key) => [key, i] as const), { signal })
    await cache.getOrSet(`f${i}`, () => Promise.reject(new Error('The database is down')), { signal }).catch(() => {})
  }
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('tokens are forgotten with the last entry and load that depend on them', async () => {
  const { cache, shared } = openedCache({ memory: { maxEntries: 10 } })
  for (let i = 0; i < 1000; i++) {
    const tags = [`tag ${i}`]
    await cache.set(`set ${i % 50}`, i, { tags, room: `room ${i}` })
    await cache.getOrSet(`loaded ${i % 50}`, (ctx) => {
      ctx.tags(`late ${i}`)
      return i
    }, { tags })
    await cache.expire({ tags })
    if (i % 3 === 0) await cache.expire({ tags })
    if (i % 5 === 0) await cache.invalidate({ tags })
  }
  // At most three labels for each entry, twice those while an expired one is remembered beside its successor, and the namespace.
  expect(shared.tokens.size).toBeLessThanOrEqual(10 * 3 * 2 + 1)
  await cache.invalidate({ all: true })
  expect(shared.tokens.size).toBe(0)
})
