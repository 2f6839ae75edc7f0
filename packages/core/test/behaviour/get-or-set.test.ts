import { expect, it, vi } from 'vitest'
import { failureOf } from './failure-of.js'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

describeCaches('getOrSet', ({ make, pass }) => {
  it('loads a value once and serves it until its TTL is over', async () => {
    const cache = make({ ttl: '1m' })
    const load = vi.fn(() => ({ name: 'Ada' }))
    expect(await cache.getOrSet('user', load)).toEqual({ name: 'Ada' })
    await pass(59_999)
    expect(await cache.getOrSet('user', load)).toEqual({ name: 'Ada' })
    expect(load).toHaveBeenCalledTimes(1)
    await pass(1)
    await cache.getOrSet('user', load)
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('keeps a value for five minutes when nothing is said', async () => {
    const cache = make()
    const load = vi.fn(() => 1)
    await cache.getOrSet('k', load)
    await pass(299_999)
    await cache.getOrSet('k', load)
    expect(load).toHaveBeenCalledTimes(1)
    await pass(1)
    await cache.getOrSet('k', load)
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('takes the TTL of the call before that of the cache', async () => {
    const cache = make({ ttl: '1h' })
    await cache.getOrSet('k', () => 1, { ttl: '1s' })
    await pass(1000)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('stores nothing with a TTL of 0', async () => {
    const cache = make()
    const load = vi.fn(() => 1)
    expect(await cache.getOrSet('k', load, { ttl: 0 })).toBe(1)
    expect(await cache.getOrSet('k', load, { ttl: 0 })).toBe(1)
    expect(load).toHaveBeenCalledTimes(2)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('runs one load for a thousand who ask for a cold key at once', async () => {
    const cache = make()
    const load = heldLoader()
    const all = Promise.all(Array.from({ length: 1000 }, () => cache.getOrSet('k', load)))
    const call = await load.called()
    call.succeed('v')
    expect(new Set(await all)).toEqual(new Set(['v']))
    expect(load.calls).toHaveLength(1)
  })

  it('lets those who come while a load is running wait for it', async () => {
    const cache = make()
    const load = heldLoader()
    const first = cache.getOrSet('k', load)
    const call = await load.called()
    const never = vi.fn(() => 'other')
    const second = cache.getOrSet('k', never)
    call.succeed('v')
    expect([await first, await second]).toEqual(['v', 'v'])
    expect(never).not.toHaveBeenCalled()
  })

  it('loads different keys side by side', async () => {
    const cache = make()
    const one = heldLoader()
    const two = heldLoader()
    const values = Promise.all([cache.getOrSet('1', one), cache.getOrSet('2', two)])
    const second = await two.called()
    second.succeed('b')
    ;(await one.called()).succeed('a')
    expect(await values).toEqual(['a', 'b'])
  })

  it('tells a failure of the load to all who waited for it, and asks the source once', async () => {
    const cache = make()
    const load = heldLoader()
    const failure = new Error('the source is down')
    const all = Promise.allSettled(Array.from({ length: 20 }, () => cache.getOrSet('k', load)))
    ;(await load.called()).fail(failure)
    expect(await all).toEqual(Array.from({ length: 20 }, () => ({ status: 'rejected', reason: failure })))
    expect(load.calls).toHaveLength(1)
  })

  it('does not remember a failure: the next call loads', async () => {
    const cache = make()
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(await cache.getOrSet('k', () => 'up')).toBe('up')
  })

  it.each([
    ['an error', new Error('down')],
    ['undefined', undefined],
    ['null', null],
    ['0', 0],
    ['an empty string', ''],
    ['a frozen object', Object.freeze({ status: 503 })],
  ])('passes on what the loader throws as it is: %s', async (_, thrown) => {
    const cache = make()
    const both = await Promise.allSettled([cache.getOrSet('k', () => Promise.reject(thrown)), cache.getOrSet('k', () => 'not asked')])
    expect(both).toEqual([{ status: 'rejected', reason: thrown }, { status: 'rejected', reason: thrown }])
  })

  it('rejects, and does not throw, when a loader throws at once', async () => {
    const cache = make()
    const call = cache.getOrSet('k', () => {
      throw new Error('at once')
    })
    await expect(call).rejects.toThrow('at once')
  })

  it('takes loaders that return a value, a promise or any thenable', async () => {
    const cache = make()
    // oxlint-disable-next-line unicorn/no-thenable -- database builders are thenables of this kind
    const query: PromiseLike<string> = { then: (onValue) => Promise.resolve('rows').then(onValue) }
    expect(await cache.getOrSet('value', () => 'v')).toBe('v')
    expect(await cache.getOrSet('promise', async () => 'p')).toBe('p')
    expect(await cache.getOrSet('thenable', () => query)).toBe('rows')
    expect(await cache.get('thenable')).toBe('rows')
  })

  it.each([0, '', false, Number.NaN, [], {}])('serves %j from the cache like any value', async (value) => {
    const cache = make()
    const load = vi.fn(() => value)
    await cache.getOrSet('k', load)
    expect(await cache.getOrSet('k', load)).toEqual(value)
    expect(load).toHaveBeenCalledTimes(1)
    expect(await cache.has('k')).toBe(true)
  })

  it('lets a loader ask the cache for other keys', async () => {
    const cache = make()
    const total = await cache.getOrSet('total', async () => (await cache.getOrSet('a', () => 1)) + (await cache.getOrSet('b', () => 2)))
    expect(total).toBe(3)
    expect(await cache.getMany(['a', 'b', 'total'])).toEqual(new Map([['a', 1], ['b', 2], ['total', 3]]))
  })

  it('ends the wait of a loader that asks for its own key by its hard timeout', async () => {
    const cache = make({ hardTimeout: '1s' })
    const call = cache.getOrSet('k', () => cache.getOrSet('k', () => 'inner'))
    const failure = failureOf(call)
    await pass(1000)
    expect(await failure).toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
  })

  it('does not store what a loader returns over what it set itself', async () => {
    const cache = make()
    await cache.getOrSet('k', async () => {
      await cache.set('k', 'set inside')
      return 'loaded'
    })
    // The set began after the load, so what was loaded is the older value.
    expect(await cache.get('k')).toBe('set inside')
  })

  it('keeps what the load that began before a set gives away from those who come after it', async () => {
    const cache = make()
    const load = heldLoader()
    const early = cache.getOrSet('k', load)
    const call = await load.called()
    await cache.set('k', 'new')
    expect(await cache.getOrSet('k', () => 'not asked')).toBe('new')
    call.succeed('old')
    expect(await early).toBe('old')
    expect(await cache.get('k')).toBe('new')
  })
})
