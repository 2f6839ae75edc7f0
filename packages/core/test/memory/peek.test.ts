import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../src/index.js'

describe('peek', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('gives a fresh value at once', async () => {
    const cache = createCache({ ttl: '1s' })
    await cache.set('k', 'v')
    await cache.namespace('users').set('k', 'other')
    expect(cache.peek('k')).toBe('v')
    expect(cache.namespace('users').peek('k')).toBe('other')
    expect(cache.peek('missing')).toBeUndefined()
  })

  it('gives nothing that is stale, expired or invalidated', async () => {
    const cache = createCache({ ttl: '1s', grace: '1h' })
    await cache.set('stale', 1)
    vi.advanceTimersByTime(1000)
    await cache.setMany([['expired', 1], ['deleted', 1]])
    await cache.set('tagged', 1, { tags: ['t'] })
    await cache.expire({ key: 'expired' })
    await cache.delete('deleted')
    await cache.invalidateTag('t')
    expect(['stale', 'expired', 'deleted', 'tagged'].map((key) => cache.peek(key))).toEqual([undefined, undefined, undefined, undefined])
  })

  it('counts neither hits nor misses, and tells nobody', async () => {
    const cache = createCache()
    const told = vi.fn()
    await cache.set('k', 'v')
    cache.on('hit', told)
    cache.on('miss', told)
    cache.peek('k')
    cache.peek('missing')
    expect(told).not.toHaveBeenCalled()
    expect(cache.stats()).toMatchObject({ memory: { hits: 0 }, misses: 0 })
  })
})
