import { expect, it, vi } from 'vitest'
import type { Cache } from '../../src/index.js'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'
import { heldLoader } from './held-loader.js'

const options = { ttl: '1s', grace: '1h', softTimeout: 100 } as const

describeCaches('softTimeout', ({ make, pass }) => {
  async function withStale(more: object = {}): Promise<Cache> {
    const cache = make({ ...options, ...more })
    await cache.set('k', 'old', { tags: ['t'] })
    await pass(1000)
    return cache
  }

  it('serves the stale value when the load is slow, and stores what the load gives in the end', async () => {
    const cache = await withStale()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(100)
    expect(await call).toBe('old')
    loading.succeed('new')
    await pass(0)
    expect(await cache.get('k')).toBe('new')
  })

  it('serves a load that is quick enough', async () => {
    const cache = await withStale()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(99)
    loading.succeed('new')
    expect(await call).toBe('new')
  })

  it('does not count when there is nothing stale to serve', async () => {
    const cache = make(options)
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(10_000)
    loading.succeed('new')
    expect(await call).toBe('new')
  })

  it('does not start a second load while the slow one is running', async () => {
    const cache = await withStale()
    const load = heldLoader()
    for (let i = 0; i < 3; i++) {
      const call = cache.getOrSet('k', load)
      await pass(100)
      expect(await call).toBe('old')
    }
    expect(load.calls).toHaveLength(1)
    expect(cache.stats().coalesced).toBe(2)
  })

  it('stores nothing that an invalidation came before', async () => {
    for (const target of [{ key: 'k' }, { tag: 't' }, { all: true }, { pattern: '?' }]) {
      const cache = await withStale()
      const load = heldLoader()
      const call = cache.getOrSet('k', load, { tags: ['t'] })
      const loading = await load.called()
      await pass(100)
      expect(await call).toBe('old')
      await cache.invalidate(target)
      loading.succeed('too old')
      await pass(0)
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getOrSet('k', () => 'new')).toBe('new')
    }
  })

  it('waits for the load when the stale value is invalidated before the time is up', async () => {
    const cache = await withStale()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(50)
    await cache.delete('k')
    await pass(1000)
    loading.succeed('new')
    expect(await call).toBe('new')
  })

  it('then fails after what is left of the hard timeout', async () => {
    const cache = await withStale({ hardTimeout: 300 })
    const load = heldLoader()
    const settled = vi.fn()
    const call = cache.getOrSet('k', load)
    call.then(settled, settled)
    await load.called()
    await cache.delete('k')
    await pass(299)
    expect(settled).not.toHaveBeenCalled()
    await pass(1)
    await expect(call).rejects.toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
  })

  it('names the hard timeout as it was given when it fails', async () => {
    const cache = await withStale({ hardTimeout: 300 })
    const failure = cache.getOrSet('k', () => new Promise(() => {})).catch((error: unknown) => error)
    await pass(50)
    await cache.delete('k')
    await pass(250)
    expect(await failure).toMatchObject({ message: expect.stringContaining('300 ms') })
  })

  it('tells of a load that fails after nobody waits for it any more, and asks again only after graceRetry', async () => {
    const onError = vi.fn()
    const cache = await withStale({ onError })
    const errors = heard(cache, 'error')
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(100)
    await call
    const failure = new Error('down')
    loading.fail(failure)
    await pass(0)
    expect(errors).toEqual([{ namespace: 'tiercel', key: 'k', error: failure, during: 'load' }])
    expect(onError).toHaveBeenCalledTimes(1)
    const again = vi.fn(() => 'new')
    expect(await cache.getOrSet('k', again)).toBe('old')
    expect(again).not.toHaveBeenCalled()
    await pass(1000)
    expect(await cache.getOrSet('k', again)).toBe('new')
  })

  it('gives up a load after 30 seconds in which nobody waited for it to the end', async () => {
    const cache = await withStale()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(100)
    await call
    expect(loading.ctx.signal.aborted).toBe(false)
    await pass(30_000)
    expect(loading.ctx.signal.aborted).toBe(true)
    expect(loading.ctx.signal.reason).toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
    const next = cache.getOrSet('k', load)
    await load.called(2)
    loading.succeed('far too late')
    await pass(100)
    expect(await next).toBe('old')
    expect(await cache.get('k')).toBeUndefined()
  })
  it('keeps out, and lets nobody join any more, a load that is older than that, though somebody still waits for it', async () => {
    const cache = await withStale()
    const load = heldLoader()
    const impatient = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(100)
    expect(await impatient).toBe('old')
    const patient = cache.getOrSet('k', load, { softTimeout: 0 })
    await pass(30_000)
    expect(loading.ctx.signal.aborted).toBe(false)
    const next = cache.getOrSet('k', load, { softTimeout: 0 })
    ;(await load.called(2)).succeed('new')
    expect(await next).toBe('new')
    loading.succeed('late')
    expect(await patient).toBe('late')
    expect(await cache.get('k')).toBe('new')
  })
})
