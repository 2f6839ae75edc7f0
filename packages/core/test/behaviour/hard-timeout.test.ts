import { expect, it, vi } from 'vitest'
import { LoadTimeoutError } from '../../src/index.js'
import { failureOf } from './failure-of.js'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'
import { heldLoader } from './held-loader.js'

const hang = () => new Promise<never>(() => {})

describeCaches('hardTimeout', ({ leavesOut, make, pass }) => {
  it('fails a call whose load takes longer, and names the time', async () => {
    const cache = make({ hardTimeout: '1s' })
    const failure = failureOf(cache.getOrSet('k', hang))
    await pass(1000)
    expect(await failure).toEqual(expect.objectContaining({ name: 'LoadTimeoutError', code: 'TIERCEL_LOAD_TIMEOUT', message: expect.stringContaining('1000 ms') }))
  })

  it('lets a load that is quick enough through', async () => {
    const cache = make({ hardTimeout: '1s' })
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(999)
    loading.succeed('v')
    expect(await call).toBe('v')
  })

  it('lets the load go on: its value is stored for the next call', async () => {
    const cache = make({ hardTimeout: '1s' })
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load))
    const loading = await load.called()
    await pass(1000)
    expect(await failure).toBeInstanceOf(LoadTimeoutError)
    expect(loading.ctx.signal.aborted).toBe(false)
    loading.succeed('late')
    await pass(0)
    expect(await cache.get('k')).toBe('late')
  })

  it('lets later calls wait for the load that goes on, each for as long as it may', async () => {
    const cache = make()
    const load = heldLoader()
    const first = failureOf(cache.getOrSet('k', load, { hardTimeout: '1s' }))
    const loading = await load.called()
    await pass(900)
    const second = cache.getOrSet('k', load, { hardTimeout: '1s' })
    const patient = cache.getOrSet('k', load)
    await pass(100)
    expect(await first).toBeInstanceOf(LoadTimeoutError)
    await pass(800)
    loading.succeed('late')
    expect([await second, await patient]).toEqual(['late', 'late'])
    expect(load.calls).toHaveLength(1)
  })

  it('does not overwrite, when it ends late, what was set or loaded since', async () => {
    const cache = make({ hardTimeout: '1s' })
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load))
    const loading = await load.called()
    await pass(1000)
    expect(await failure).toBeInstanceOf(LoadTimeoutError)
    await cache.set('k', 'v2')
    loading.succeed('v1')
    await pass(0)
    expect(await cache.get('k')).toBe('v2')
  })

  it('stores nothing when an invalidation came in between', async () => {
    const cache = make({ hardTimeout: '1s' })
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load, { tags: ['t'] }))
    const loading = await load.called()
    await pass(1000)
    expect(await failure).toBeInstanceOf(LoadTimeoutError)
    await cache.invalidateTag('t')
    loading.succeed('old')
    await pass(0)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats().fenced).toBe(1)
  })

  it('serves something stale rather than fail, within grace', async () => {
    const cache = make({ ttl: '1s', grace: '1h', hardTimeout: 500 })
    await cache.set('k', 'old')
    await pass(1000)
    const call = cache.getOrSet('k', hang)
    await pass(500)
    expect(await call).toBe('old')
    expect(cache.stats().stale).toBe(1)
  })

  it('tells of a load that fails after its callers were told of the timeout', async () => {
    const cache = make({ hardTimeout: '1s' })
    const errors = heard(cache, 'error')
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load))
    const loading = await load.called()
    await pass(1000)
    expect(await failure).toBeInstanceOf(LoadTimeoutError)
    const down = new Error('down')
    loading.fail(down)
    await pass(0)
    expect(errors).toEqual([{ namespace: 'tiercel', key: 'k', error: down, during: 'load' }])
  })

  it('tells of it also when something stale was served at the timeout', async () => {
    const cache = make({ ttl: '1s', grace: '1h', hardTimeout: 500 })
    const errors = heard(cache, 'error')
    await cache.set('k', 'old')
    await pass(1000)
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await pass(500)
    await call
    const down = new Error('down')
    loading.fail(down)
    await pass(0)
    expect(errors.map(({ error }) => error)).toContain(down)
  })

  it('calls the load slow, not failed, when something stale is served at the timeout', async () => {
    const cache = make({ ttl: '1s', grace: '1h', hardTimeout: 500 })
    const stale = heard(cache, 'stale')
    await cache.set('k', 'old')
    await pass(1000)
    const call = cache.getOrSet('k', hang)
    await pass(500)
    await call
    expect(stale.map(({ reason }) => reason)).toEqual(['load-slow'])
  })

  it.skipIf(leavesOut('the connection looks now and then whether its server still answers'))('leaves no timer behind once the load has ended', async () => {
    const cache = make({ hardTimeout: '1h' })
    const before = vi.getTimerCount()
    await cache.getOrSet('k', () => 'v')
    await expect(cache.getOrSet('other', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(vi.getTimerCount()).toBe(before)
  })
})
