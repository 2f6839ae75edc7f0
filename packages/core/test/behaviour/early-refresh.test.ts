import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'
import { heldLoader } from './held-loader.js'

const options = { ttl: '10s', refresh: 0.8 } as const

describeCaches('refresh', ({ make, pass }) => {
  it('renews in the background once that part of the TTL is gone', async () => {
    const cache = make(options)
    await cache.set('k', 'old')
    const load = heldLoader()
    await pass(7999)
    expect(await cache.getOrSet('k', load)).toBe('old')
    await pass(0)
    expect(load.calls).toHaveLength(0)
    await pass(1)
    expect(await cache.getOrSet('k', load)).toBe('old')
    ;(await load.called()).succeed('new')
    await pass(0)
    expect(await cache.get('k')).toBe('new')
    expect(await cache.ttl('k')).toBe(10_000)
  })

  it('is off unless it is asked for, and can be turned on and off for a call', async () => {
    const load = vi.fn(() => 'new')
    const without = make({ ttl: '10s' })
    await without.set('k', 'old')
    const having = make(options)
    await having.set('k', 'old')
    await pass(9999)
    await without.getOrSet('k', load)
    await having.getOrSet('k', load, { refresh: 0 })
    await pass(0)
    expect(load).not.toHaveBeenCalled()
    expect(await without.getOrSet('k', load, { refresh: 0.5 })).toBe('old')
    await pass(0)
    expect(await without.get('k')).toBe('new')
  })

  it('runs one renewal however many ask', async () => {
    const cache = make(options)
    await cache.set('k', 'old')
    await pass(9000)
    const load = heldLoader()
    const values = await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('k', load)))
    expect(new Set(values)).toEqual(new Set(['old']))
    await load.called()
    await pass(500)
    await cache.getOrSet('k', load)
    await pass(0)
    expect(load.calls).toHaveLength(1)
  })

  it('lets a call that finds the value stale wait for the renewal under way', async () => {
    const cache = make(options)
    await cache.set('k', 'old')
    await pass(9000)
    const load = heldLoader()
    await cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(1000)
    const call = cache.getOrSet('k', () => 'not asked')
    await pass(1)
    loading.succeed('new')
    expect(await call).toBe('new')
    expect(load.calls).toHaveLength(1)
  })

  it('is not done by reads that bring no loader', async () => {
    const cache = make(options)
    await cache.set('k', 'old')
    await pass(9000)
    const loads = heard(cache, 'load')
    await cache.get('k')
    await cache.getMany(['k'])
    await cache.has('k')
    await pass(0)
    expect(loads).toEqual([])
  })

  it('stores nothing when the key was invalidated or set meanwhile', async () => {
    for (const [change, expected] of [['invalidate', undefined], ['set', 'set since']] as const) {
      const cache = make(options)
      await cache.set('k', 'old')
      await pass(9000)
      const load = heldLoader()
      await cache.getOrSet('k', load)
      const loading = await load.called()
      if (change === 'set') await cache.set('k', 'set since')
      else await cache.delete('k')
      loading.succeed('too old')
      await pass(0)
      expect(await cache.get('k')).toBe(expected)
    }
  })

  it('keeps the value until the end of its TTL when the renewal fails, tells of it, and tries again after graceRetry', async () => {
    const onError = vi.fn()
    const cache = make({ ...options, onError })
    const errors = heard(cache, 'error')
    const failure = new Error('down')
    const load = vi.fn(() => Promise.reject<string>(failure))
    await cache.set('k', 'old')
    await pass(8000)
    expect(await cache.getOrSet('k', load)).toBe('old')
    await pass(500)
    expect(await cache.getOrSet('k', load)).toBe('old')
    await pass(0)
    expect(load).toHaveBeenCalledTimes(1)
    expect(errors).toEqual([{ namespace: 'tiercel', key: 'k', error: failure, during: 'load' }])
    expect(onError.mock.calls).toEqual([[failure, { key: 'k' }]])
    await pass(500)
    expect(await cache.getOrSet('k', load)).toBe('old')
    await pass(0)
    expect(load).toHaveBeenCalledTimes(2)
    await pass(1000)
    await expect(cache.getOrSet('k', load)).rejects.toBe(failure)
  })

  it('gives the renewal the fresh value, so that it can ask whether it is still good', async () => {
    const cache = make(options)
    await cache.getOrSet('k', (ctx) => (ctx.etag('e1'), 'v'))
    await pass(9000)
    await cache.getOrSet<unknown>('k', (ctx) => {
      expect(ctx.stale).toEqual({ value: 'v', etag: 'e1' })
      return ctx.notModified()
    })
    await pass(0)
    expect(await cache.ttl('k')).toBe(10_000)
    expect(await cache.get('k')).toBe('v')
  })

  it('says of its load that nobody waited for it', async () => {
    const cache = make(options)
    const loads = heard(cache, 'load')
    await cache.getOrSet('k', () => 1)
    await pass(9000)
    await cache.getOrSet('k', () => 2)
    await pass(0)
    expect(loads.map(({ background, stored }) => ({ background, stored }))).toEqual([
      { background: false, stored: true },
      { background: true, stored: true },
    ])
  })

  it('gives up a renewal that hangs after 30 seconds, so that the key is not blocked', async () => {
    const cache = make({ ttl: '100s', refresh: 0.1 })
    await cache.set('k', 'old')
    await pass(20_000)
    const load = heldLoader()
    await cache.getOrSet('k', load)
    const hung = await load.called()
    await pass(30_000)
    expect(hung.ctx.signal.aborted).toBe(true)
    await cache.getOrSet('k', load)
    ;(await load.called(2)).succeed('new')
    await pass(0)
    expect(await cache.get('k')).toBe('new')
    hung.succeed('far too late')
    await pass(0)
    expect(await cache.get('k')).toBe('new')
  })

  it('renews nothing by options that contradict each other', async () => {
    const cache = make(options)
    await cache.set('k', 'old')
    await pass(9000)
    const load = vi.fn(() => 'new')
    expect(await cache.getOrSet('k', load, { ttl: -1 }).catch(() => 'refused')).not.toBe('new')
    await pass(0)
    expect(load).not.toHaveBeenCalled()
    expect(await cache.get('k')).toBe('old')
  })

  it('does not renew for a call that is not to store', async () => {
    const cache = make(options)
    await cache.set('k', 'old')
    await pass(9000)
    const load = vi.fn(() => 'new')
    expect(await cache.getOrSet('k', load, { bypass: 'write' })).toBe('old')
    await pass(0)
    expect(load).not.toHaveBeenCalled()
  })

  it('renews for calls that bring a signal as well', async () => {
    const cache = make(options)
    await cache.set('k', 'old')
    await pass(9000)
    const load = vi.fn(() => 'new')
    expect(await cache.getOrSet('k', load, { signal: new AbortController().signal })).toBe('old')
    await pass(0)
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('needs a grace that covers the time between refresh and the end of the TTL, or none', async () => {
    const cache = make()
    const call = (grace: number) => cache.getOrSet('k', () => 1, { ttl: 10_000, refresh: 0.8, grace, bypass: 'both' })
    await expect(call(1999)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining('grace') })
    expect(await call(2000)).toBe(1)
    expect(await call(0)).toBe(1)
  })
})
