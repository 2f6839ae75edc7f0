import { expect, it } from 'vitest'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

const down = () => Promise.reject(new Error('down'))

describeCaches('stats', ({ make, pass }) => {
  it('are all zero at the start', () => {
    expect(make().stats()).toMatchObject({
      misses: 0,
      loads: { started: 0, failed: 0, running: 0 },
      sets: 0,
      coalesced: 0,
      stale: 0,
      invalidations: 0,
      fenced: 0,
      uncacheable: 0,
      hitRatio: 0,
    })
  })

  it('count reads by whether they found something fresh', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 1)
    await cache.get('k')
    await cache.getOrSet('k', () => 2)
    await cache.getMany(['k', 'missing'])
    await pass(1000)
    await cache.getOrSet('k', down)
    expect(cache.stats()).toMatchObject({ misses: 2, stale: 1, hitRatio: 3 / 5 })
  })

  it('do not count peek, has and ttl as reads', async () => {
    const cache = make()
    await cache.set('k', 1)
    cache.peek('k')
    await cache.has('k')
    await cache.has('missing')
    await cache.ttl('k')
    await cache.touch('k')
    expect(cache.stats()).toMatchObject({ misses: 0, hitRatio: 0, sets: 1 })
  })

  it('count loads that were started, that run and that failed', async () => {
    const cache = make()
    const load = heldLoader()
    const calls = Promise.allSettled([cache.getOrSet('a', load), cache.getOrSet('b', load), cache.getOrSet('c', load)])
    const [one, two, three] = [await load.called(1), await load.called(2), await load.called(3)]
    expect(cache.stats().loads).toEqual({ started: 3, failed: 0, running: 3 })
    one.succeed('v')
    two.fail(new Error('down'))
    await pass(0)
    expect(cache.stats().loads).toEqual({ started: 3, failed: 1, running: 1 })
    three.succeed('v')
    await calls
    expect(cache.stats()).toMatchObject({ loads: { started: 3, failed: 1, running: 0 }, sets: 2 })
  })

  it('count those who waited for the load of another', async () => {
    const cache = make()
    const load = heldLoader()
    const calls = Promise.all(Array.from({ length: 10 }, () => cache.getOrSet('k', load)))
    const loading = await load.called()
    await pass(1)
    loading.succeed('v')
    await calls
    expect(cache.stats()).toMatchObject({ coalesced: 9, misses: 10, loads: { started: 1 } })
  })

  it('count invalidations by what they named', async () => {
    const cache = make()
    await cache.invalidate({ keys: ['a', 'b'], tag: 't' })
    await cache.expire({ room: 'r' })
    await cache.delete('a')
    expect(cache.stats().invalidations).toBe(5)
  })

  it('count values that an invalidation kept out, and those that cannot be kept', async () => {
    const cache = make()
    await cache.getOrSet('k', async () => {
      await cache.delete('k')
      return 'v'
    })
    await cache.set('live', () => {})
    await cache.getOrSet('live', () => Symbol('live'))
    expect(cache.stats()).toMatchObject({ fenced: 1, uncacheable: 2, sets: 0 })
  })
})

describeCaches('health and readiness', ({ make }) => {
  it('is healthy until it is closed', async () => {
    const cache = make()
    await expect(cache.ready()).resolves.toBeUndefined()
    expect(cache.health().healthy).toBe(true)
    await cache.close()
    expect(cache.health().healthy).toBe(false)
    expect(cache.getConnectionStatus()).toBe('disconnected')
    await expect(cache.ready()).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
  })

  it('shows loads that are running', async () => {
    const cache = make()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    expect(cache.health().memory.runningLoads).toBe(1)
    expect(cache.namespace('users').health().memory.runningLoads).toBe(1)
    loading.succeed('v')
    await call
    expect(cache.health().memory.runningLoads).toBe(0)
  })
})
