import { expect, it, vi } from 'vitest'
import type { Duration } from '../../src/index.js'
import { describeCaches } from './harness.js'

describeCaches('ttl and touch', ({ make, pass }) => {
  it('tells the whole milliseconds a value has left', async () => {
    const cache = make()
    await cache.set('k', 1, { ttl: '10s' })
    expect(await cache.ttl('k')).toBe(10_000)
    await pass(2500)
    expect(await cache.ttl('k')).toBe(7500)
  })

  it('tells nothing of a value that is missing, stale, expired or invalidated', async () => {
    const cache = make({ ttl: '1s', grace: '1m' })
    expect(await cache.ttl('missing')).toBeUndefined()
    await cache.set('k', 1)
    await pass(1000)
    expect(await cache.ttl('k')).toBeUndefined()
    await cache.set('k', 1)
    await cache.expire({ key: 'k' })
    expect(await cache.ttl('k')).toBeUndefined()
    await cache.set('k', 1, { tags: ['t'] })
    await cache.invalidateTag('t')
    expect(await cache.ttl('k')).toBeUndefined()
  })

  it.each<[Duration, number]>([
    [250, 250],
    ['250ms', 250],
    ['5s', 5000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['3650d', 315_360_000_000],
    [0.6, 1],
  ])('reads the duration %s as %d ms', async (ttl, ms) => {
    const cache = make()
    await cache.set('k', 1, { ttl })
    expect(await cache.ttl('k')).toBe(ms)
  })

  it('gives a fresh value a new TTL from now on', async () => {
    const cache = make()
    await cache.set('k', 'v', { ttl: '10s' })
    await pass(9000)
    expect(await cache.touch('k', '1m')).toBe(true)
    expect(await cache.ttl('k')).toBe(60_000)
    await pass(59_999)
    expect(await cache.get('k')).toBe('v')
    await pass(1)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('touches with the default TTL of the cache or the namespace', async () => {
    const cache = make({ ttl: '2m' })
    const users = cache.namespace('users', { ttl: '3m' })
    await cache.set('k', 1, { ttl: '1s' })
    await users.set('k', 1, { ttl: '1s' })
    await cache.touch('k')
    await users.touch('k')
    expect(await cache.ttl('k')).toBe(120_000)
    expect(await users.ttl('k')).toBe(180_000)
  })

  it('can shorten a TTL, and empties the key with a TTL of 0', async () => {
    const cache = make()
    await cache.set('k', 1)
    await cache.touch('k', '1s')
    expect(await cache.ttl('k')).toBe(1000)
    expect(await cache.touch('k', 0)).toBe(true)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('brings back nothing that is missing, stale, expired or invalidated', async () => {
    const cache = make({ ttl: '1s', grace: '1m' })
    expect(await cache.touch('missing')).toBe(false)
    await cache.set('stale', 1)
    await pass(1000)
    expect(await cache.touch('stale', '1h')).toBe(false)
    await cache.set('expired', 1)
    await cache.expire({ key: 'expired' })
    expect(await cache.touch('expired', '1h')).toBe(false)
    await cache.set('dead', 1, { room: 'r' })
    await cache.invalidateRoom('r')
    expect(await cache.touch('dead', '1h')).toBe(false)
    expect(await cache.getMany(['stale', 'expired', 'dead'])).toEqual(new Map())
  })

  it('keeps the grace, the tags and the refresh of a touched value', async () => {
    const cache = make({ grace: '10s' })
    await cache.set('k', 'v', { ttl: '1s', tags: ['t'] })
    await cache.touch('k', '5s')
    await pass(14_999)
    expect(await cache.getOrSet('k', () => Promise.reject(new Error('down')))).toBe('v')
    await pass(1)
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')

    await cache.set('k', 'v', { tags: ['t'] })
    await cache.touch('k', '1h')
    await cache.invalidateTag('t')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('counts the time to refresh from the new TTL', async () => {
    const cache = make({ ttl: '10s', refresh: 0.5 })
    const renew = vi.fn(() => 'new')
    await cache.set('k', 'old')
    await cache.touch('k', '100s')
    await pass(49_999)
    await cache.getOrSet('k', renew)
    expect(renew).not.toHaveBeenCalled()
    await pass(1)
    await cache.getOrSet('k', renew)
    await pass(0)
    expect(renew).toHaveBeenCalledTimes(1)
  })

  it('refuses a bad TTL even when there is nothing to touch', async () => {
    const cache = make()
    await expect(cache.touch('k', -1)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining('ttl') })
  })
})
