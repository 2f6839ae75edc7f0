import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'

describeCaches('jitter', ({ make, pass }) => {
  it.each([
    ['a part of the TTL', 0.1, 9500],
    ['a time', '2s', 9000],
    ['more time than the TTL has', '1h', 5000],
  ] as const)('shortens the TTL at random by up to %s', async (_, jitter, half) => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const cache = make({ ttl: '10s', jitter })
    await cache.set('set', 1)
    await cache.getOrSet('loaded', () => 1)
    expect([await cache.ttl('set'), await cache.ttl('loaded')]).toEqual([half, half])
    await pass(half)
    expect(await cache.getMany(['set', 'loaded'])).toEqual(new Map())
  })

  it('spreads what is stored together, and never lengthens a TTL', async () => {
    const cache = make({ ttl: '10s', jitter: 0.5 })
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
    await cache.setMany(keys.map((key) => [key, 1]))
    const left = await Promise.all(keys.map((key) => cache.ttl(key)))
    expect(Math.max(...left.map(Number))).toBeLessThanOrEqual(10_000)
    expect(Math.min(...left.map(Number))).toBeGreaterThanOrEqual(5000)
    expect(new Set(left).size).toBeGreaterThan(20)
  })

  it('is off unless it is asked for, and can be turned off for a call', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const without = make({ ttl: '10s' })
    const having = make({ ttl: '10s', jitter: '5s' })
    await without.set('k', 1)
    await having.set('k', 1, { jitter: 0 })
    expect([await without.ttl('k'), await having.ttl('k')]).toEqual([10_000, 10_000])
  })

  it('does not shorten the time for which grace puts the next load off', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999)
    const cache = make({ ttl: '1s', grace: '1h', graceRetry: '10s', jitter: 0.5 })
    const load = vi.fn(() => Promise.reject(new Error('down')))
    await cache.set('k', 'old')
    await pass(1000)
    await cache.getOrSet('k', load)
    await pass(9999)
    await cache.getOrSet('k', load)
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('leaves grace as long as it is', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const cache = make({ ttl: '10s', grace: '10s', jitter: 0.2 })
    const load = () => Promise.reject(new Error('down'))
    await cache.set('k', 'old')
    await pass(18_999)
    expect(await cache.getOrSet('k', load)).toBe('old')
    await pass(1)
    await expect(cache.getOrSet('k', load)).rejects.toThrow('down')
  })
})
