import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'

describeCaches('null and undefined', ({ make }) => {
  it('keeps null: that there is nothing is worth knowing', async () => {
    const cache = make()
    const load = vi.fn(() => null)
    expect(await cache.getOrSet('k', load)).toBeNull()
    expect(await cache.getOrSet('k', load)).toBeNull()
    expect(load).toHaveBeenCalledTimes(1)
    expect(await cache.get('k')).toBeNull()
    expect(await cache.has('k')).toBe(true)
    expect(await cache.getMany(['k'])).toEqual(new Map([['k', null]]))
  })

  it('does not keep null with cacheNull off', async () => {
    const load = vi.fn(() => null)
    const cache = make({ cacheNull: false })
    expect(await cache.getOrSet('k', load)).toBeNull()
    expect(await cache.getOrSet('k', load)).toBeNull()
    expect(await cache.set('k', null)).toBe(false)
    expect(await cache.set('k', null, { cacheNull: true })).toBe(true)
    const other = make()
    await other.getOrSet('k', load, { cacheNull: false })
    expect(load).toHaveBeenCalledTimes(3)
    expect(await other.has('k')).toBe(false)
  })

  it('lets the loader keep null for a shorter time', async () => {
    const cache = make()
    await cache.getOrSet('k', (ctx) => (ctx.ttl('5s'), null))
    expect(await cache.ttl('k')).toBe(5000)
  })

  it('serves undefined and never keeps it', async () => {
    const cache = make()
    const load = vi.fn(() => undefined)
    expect(await cache.getOrSet('k', load)).toBeUndefined()
    expect(await cache.getOrSet('k', load)).toBeUndefined()
    expect(load).toHaveBeenCalledTimes(2)
    expect(await cache.has('k')).toBe(false)
  })

  it.each([
    ['undefined', undefined],
    ['null with cacheNull off', null],
  ])('drops the value before it when a load finds %s', async (_, value) => {
    const cache = make({ grace: '1h', cacheNull: false })
    await cache.set('k', 'old')
    await cache.expire({ key: 'k' })
    expect(await cache.getOrSet<unknown>('k', () => value)).toBe(value)
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  })
})
