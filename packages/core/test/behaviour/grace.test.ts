import { expect, it, vi } from 'vitest'
import { failureOf } from './failure-of.js'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'
import { heldLoader } from './held-loader.js'

const down = () => Promise.reject(new Error('down'))

describeCaches('grace', ({ make, pass }) => {
  it('serves the stale value when the load fails', async () => {
    const cache = make({ ttl: '1s', grace: '1m' })
    await cache.set('k', 'old')
    await pass(1000)
    expect(await cache.getOrSet('k', down)).toBe('old')
    expect(cache.stats().stale).toBe(1)
  })

  it('is off unless it is asked for', async () => {
    const cache = make({ ttl: '1s' })
    await cache.set('k', 'old')
    await pass(1000)
    await expect(cache.getOrSet('k', down)).rejects.toThrow('down')
    await cache.set('k', 'old')
    await pass(1000)
    await expect(cache.getOrSet('k', down, { grace: '1m' })).rejects.toThrow('down')
  })

  it('waits for the load as long as it takes, and serves nothing stale when it succeeds', async () => {
    const cache = make({ ttl: '1s', grace: '1m' })
    await cache.set('k', 'old')
    await pass(1000)
    expect(await cache.getOrSet('k', () => 'new')).toBe('new')
    expect(cache.stats().stale).toBe(0)
  })

  it('does not make get, peek, has or ttl give anything stale', async () => {
    const cache = make({ ttl: '1s', grace: '1m' })
    await cache.set('k', 'old')
    await pass(1000)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.peek('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
    expect(await cache.ttl('k')).toBeUndefined()
    expect(await cache.getMany(['k'])).toEqual(new Map())
  })

  it('ends where it was said to end, however often it has served', async () => {
    const cache = make({ ttl: '10s', grace: '20s', graceRetry: '1s' })
    await cache.set('k', 'old')
    for (const ms of [10_000, 5000, 5000, 5000, 4999]) {
      await pass(ms)
      expect(await cache.getOrSet('k', down)).toBe('old')
    }
    await pass(1)
    await expect(cache.getOrSet('k', down)).rejects.toThrow('down')
  })

  it('is the shorter of what the value was stored with and what the call allows', async () => {
    const cache = make({ ttl: '1s' })
    await cache.set('k', 'old', { grace: '10s' })
    await pass(6000)
    await expect(cache.getOrSet('k', down, { grace: '5s' })).rejects.toThrow('down')
    expect(await cache.getOrSet('k', down, { grace: '6s' })).toBe('old')
    await pass(5000)
    await expect(cache.getOrSet('k', down, { grace: '1h' })).rejects.toThrow('down')
  })

  it('can be turned off for a call', async () => {
    const cache = make({ ttl: '1s', grace: '1m' })
    await cache.set('k', 'old')
    await pass(1000)
    await expect(cache.getOrSet('k', down, { grace: 0 })).rejects.toThrow('down')
  })

  it('may be shorter than the TTL, and does not shorten it', async () => {
    const cache = make({ ttl: '1h', grace: '50ms' })
    await cache.set('k', 'v')
    await pass(3_599_999)
    expect(await cache.get('k')).toBe('v')
  })

  it('asks a failing source once a second, whoever calls', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(60_000)
    const load = vi.fn(down)
    for (let i = 0; i < 5; i++) expect(await cache.getOrSet('k', load)).toBe('old')
    expect(load).toHaveBeenCalledTimes(1)
    await pass(999)
    await cache.getOrSet('k', load)
    expect(load).toHaveBeenCalledTimes(1)
    await pass(1)
    expect(await cache.getOrSet('k', load)).toBe('old')
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('asks it as often as graceRetry says', async () => {
    const cache = make({ ttl: '1s', grace: '1h', graceRetry: '10s' })
    const load = vi.fn(down)
    await cache.set('k', 'old')
    await pass(1000)
    await cache.getOrSet('k', load)
    await pass(9999)
    await cache.getOrSet('k', load)
    expect(load).toHaveBeenCalledTimes(1)
    await pass(1)
    await cache.getOrSet('k', load)
    expect(load).toHaveBeenCalledTimes(2)
    const always = make({ ttl: '1s', grace: '1h', graceRetry: 0 })
    await always.set('k', 'old')
    await pass(1000)
    await always.getOrSet('k', load)
    await always.getOrSet('k', load)
    expect(load).toHaveBeenCalledTimes(4)
  })

  it('goes back to normal with the first load that succeeds', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    await cache.getOrSet('k', down)
    await pass(1000)
    expect(await cache.getOrSet('k', () => 'new')).toBe('new')
    await pass(1000)
    const load = vi.fn(() => 'newer')
    expect(await cache.getOrSet('k', load)).toBe('newer')
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('loads at once for a call without grace while others are put off', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    await cache.getOrSet('k', down)
    expect(await cache.getOrSet('k', () => 'new', { grace: 0 })).toBe('new')
  })

  it('serves all who waited for the load that failed', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    const load = heldLoader()
    const calls = Promise.all(Array.from({ length: 20 }, () => cache.getOrSet('k', load)))
    ;(await load.called()).fail(new Error('down'))
    expect(new Set(await calls)).toEqual(new Set(['old']))
    expect(load.calls).toHaveLength(1)
  })

  it('tells of the failure once: as an event, to the logger and to onError', async () => {
    const logger = { warn: vi.fn(), error: vi.fn() }
    const onError = vi.fn()
    const cache = make({ ttl: '1s', grace: '1h', logger, onError })
    const errors = heard(cache, 'error')
    await cache.set('secret-key', 'old')
    await pass(1000)
    const load = heldLoader()
    const calls = Promise.all(Array.from({ length: 3 }, () => cache.getOrSet('secret-key', load)))
    const failure = new Error('down')
    ;(await load.called()).fail(failure)
    await calls
    expect(errors).toEqual([{ namespace: 'tiercel', key: 'secret-key', error: failure, during: 'load' }])
    expect(onError.mock.calls).toEqual([[failure, { key: 'secret-key' }]])
    expect(logger.warn.mock.calls).toEqual([[{ namespace: 'tiercel', during: 'load', err: failure }, expect.stringContaining('load')]])
    expect(JSON.stringify(logger.warn.mock.calls)).not.toContain('secret-key')
  })

  it('tells why something stale was served', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    const stale = heard(cache, 'stale')
    await cache.set('k', 'old')
    await pass(1000)
    await cache.getOrSet('k', down)
    await cache.getOrSet('k', down)
    await pass(1000)
    const slow = cache.getOrSet('k', () => new Promise(() => {}), { softTimeout: 10 })
    await pass(10)
    await slow
    expect(stale).toEqual(['load-failed', 'load-postponed', 'load-slow'].map((reason) => ({ namespace: 'tiercel', key: 'k', reason })))
  })

  it('does not serve what was invalidated while the load that failed was running', async () => {
    for (const target of [{ key: 'k' }, { tag: 't' }, { all: true }, { pattern: '*' }]) {
      const cache = make({ ttl: '1s', grace: '1h' })
      await cache.set('k', 'old', { tags: ['t'] })
      await pass(1000)
      const load = heldLoader()
      const failure = failureOf(cache.getOrSet('k', load, { tags: ['t'] }))
      const loading = await load.called()
      await cache.invalidate(target)
      loading.fail(new Error('down'))
      expect(String(await failure)).toContain('down')
    }
  })

  it('does not serve what was replaced while the load that failed was running', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    const load = heldLoader()
    const call = cache.getOrSet('k', load).catch(() => 'failed')
    const loading = await load.called()
    await cache.set('k', 'new')
    loading.fail(new Error('down'))
    expect(await call).not.toBe('old')
  })

  it('does not outlive its end while the load that fails is running', async () => {
    const cache = make({ ttl: '1s', grace: '1s' })
    await cache.set('k', 'old')
    await pass(1500)
    const load = heldLoader()
    const failure = failureOf(cache.getOrSet('k', load))
    const loading = await load.called()
    await pass(500)
    loading.fail(new Error('down'))
    expect(String(await failure)).toContain('down')
  })

  it('serves null, and all that is falsy, like any value', async () => {
    for (const value of [null, 0, '', false]) {
      const cache = make({ ttl: '1s', grace: '1h' })
      await cache.set('k', value)
      await pass(1000)
      expect(await cache.getOrSet('k', down)).toBe(value)
    }
  })
})
