import { describe, expect, it, vi } from 'vitest'
import { createCache } from '../../src/index.js'

describe('a cache that has no tier but memory', () => {
  it('says so', async () => {
    const cache = createCache()
    const hit = vi.fn()
    cache.on('hit', hit)
    await cache.set('k', 1)
    await cache.get('k')
    expect(cache.getConnectionStatus()).toBe('memory-fallback')
    expect(cache.health()).toMatchObject({ healthy: true, redis: undefined })
    expect(cache.stats().memory.hits).toBe(1)
    expect(hit).toHaveBeenCalledWith({ namespace: 'tiercel', key: 'k', tier: 'memory' })
  })

  it('keeps nothing, and finds nothing, for a call that leaves memory out', async () => {
    const cache = createCache()
    const load = vi.fn(() => 'loaded')
    expect(await cache.set('k', 'v', { memory: false })).toBe(false)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', load, { memory: false })).toBe('loaded')
    expect(await cache.get('k')).toBeUndefined()
    await cache.set('k', 'kept')
    expect(await cache.get('k', { memory: false })).toBeUndefined()
    expect(await cache.getOrSet('k', load, { memory: false })).toBe('loaded')
    expect(await cache.get('k')).toBe('kept')
    expect(load).toHaveBeenCalledTimes(2)
  })

  // What is set is the newer value, wherever it is kept: the older one is still read from memory.
  it('does not serve from memory what was there before a set that left memory out', async () => {
    const cache = createCache()
    await cache.set('k', 'old')
    await cache.set('k', 'new', { memory: false })
    expect(await cache.get('k')).not.toBe('old')
  })

  it('does not mind being told to leave Redis out', async () => {
    const cache = createCache()
    expect(await cache.set('k', 'v', { redis: false })).toBe(true)
    expect(await cache.get('k', { redis: false })).toBe('v')
    expect(await cache.getOrSet('k', () => 'other', { redis: false })).toBe('v')
  })

  it('is independent of another cache of its name', async () => {
    const one = createCache({ name: 'app' })
    const other = createCache({ name: 'app' })
    await one.set('k', 1)
    expect(await other.get('k')).toBeUndefined()
    await other.invalidate({ all: true })
    await other.close()
    expect(await one.get('k')).toBe(1)
  })

  it('does not time by the wall clock', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const cache = createCache({ ttl: '1m' })
      await cache.set('k', 'v')
      vi.setSystemTime(Date.now() + 86_400_000)
      expect(await cache.get('k')).toBe('v')
      vi.setSystemTime(0)
      expect(await cache.ttl('k')).toBeLessThanOrEqual(60_000)
    } finally {
      vi.useRealTimers()
    }
  })

  it('returns the same kind of promise for a hit as for a miss, and never a value that poses as one', async () => {
    const cache = createCache()
    // oxlint-disable-next-line unicorn/no-thenable -- a field of that name may well be in somebody's data
    const posing = { then: 'later' }
    await cache.set('k', posing)
    expect(cache.get('k')).toBeInstanceOf(Promise)
    expect(cache.get('missing')).toBeInstanceOf(Promise)
    expect(await cache.get('k')).toBe(posing)
    expect(await cache.getOrSet('k', () => 1)).toBe(posing)
  })
})
