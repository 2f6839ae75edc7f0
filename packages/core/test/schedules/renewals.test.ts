import { describe, expect, test } from 'vitest'
import { memoryCache } from './opened-cache.js'
import { down, slowLoad } from './slow-load.js'
import { expiringWays, labelledWays } from './ways-to-invalidate.js'

const KEY = 'user:1'
const TO_RENEW = { grace: '1h' } as const

function namespaces() {
  const above = memoryCache(TO_RENEW).namespace('above')
  return { above, cache: above.namespace('below') }
}

describe.for(labelledWays)('a value renewed by ctx.notModified()', ({ by, labels, label, invalidate }) => {
  const name = label as NonNullable<typeof label>

  test(`is not kept when its ${by} was invalidated meanwhile, though only the first load named it`, async () => {
    const { cache, above } = namespaces()
    await cache.getOrSet<string>(KEY, (ctx) => {
      name(ctx)
      return 'old'
    })
    await cache.expire({ key: KEY })
    const renewal = slowLoad(cache, KEY)
    const ctx = await renewal.begun
    await invalidate(cache, above)
    await renewal.finish(ctx.notModified())
    expect(cache.peek(KEY)).toBeUndefined()
    await expect(cache.getOrSet(KEY, () => Promise.reject(down))).rejects.toBe(down)
  })

  test(`goes on depending on its ${by}, though only the first load named it`, async () => {
    const { cache, above } = namespaces()
    await cache.set(KEY, 'old', labels)
    await cache.expire({ key: KEY })
    await cache.getOrSet(KEY, (ctx) => ctx.notModified())
    expect(cache.peek(KEY)).toBe('old')
    await cache.expire({ key: KEY })
    await cache.getOrSet(KEY, (ctx) => ctx.notModified())
    expect(cache.peek(KEY)).toBe('old')
    await invalidate(cache, above)
    expect(cache.peek(KEY)).toBeUndefined()
  })

  test(`is loaded anew by a call that came after its ${by} was invalidated`, async () => {
    const { cache, above } = namespaces()
    await cache.set(KEY, 'old', labels)
    await cache.expire({ key: KEY })
    const renewal = slowLoad(cache, KEY)
    const ctx = await renewal.begun
    await invalidate(cache, above)
    const after = cache.getOrSet(KEY, (late) => (late.stale === undefined ? 'new' : late.notModified()))
    await renewal.finish(ctx.notModified())
    expect(await after).toBe('new')
    expect(cache.peek(KEY)).toBe('new')
  })
})

describe.for(expiringWays)('what was expired by $by', ({ labels, invalidate, expire }) => {
  const expireIt = expire as NonNullable<typeof expire>

  test('is served as grace while loads fail', async () => {
    const { cache, above } = namespaces()
    await cache.set(KEY, 'old', labels)
    await expireIt(cache, above)
    expect(cache.peek(KEY)).toBeUndefined()
    expect(await cache.get(KEY)).toBeUndefined()
    expect(await cache.getOrSet(KEY, () => Promise.reject(down), labels)).toBe('old')
  })

  test('and then invalidated in the same way is not served at all', async () => {
    const { cache, above } = namespaces()
    await cache.set(KEY, 'old', labels)
    await expireIt(cache, above)
    await invalidate(cache, above)
    await expect(cache.getOrSet(KEY, () => Promise.reject(down), labels)).rejects.toBe(down)
  })

  test('and invalidated while a call waits with it at hand is not served to that call', async () => {
    const { cache, above } = namespaces()
    await cache.set(KEY, 'old', labels)
    await expireIt(cache, above)
    const load = slowLoad(cache, KEY, labels)
    await load.begun
    await invalidate(cache, above)
    await expect(load.fail(down)).rejects.toBe(down)
  })

  test('is not what a load that began before the expiry gives', async () => {
    const { cache, above } = namespaces()
    const before = slowLoad(cache, KEY, labels)
    await before.begun
    await expireIt(cache, above)
    const after = cache.getOrSet(KEY, () => 'new', labels)
    await before.finish('old')
    expect(await after).toBe('new')
    expect(cache.peek(KEY)).toBe('new')
  })
})
