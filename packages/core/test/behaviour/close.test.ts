import { expect, it, vi } from 'vitest'
import type { Cache } from '../../src/index.js'
import { failureOf } from './failure-of.js'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

const closed = expect.objectContaining({ name: 'ClosedError', code: 'TIERCEL_CLOSED' })

const calls: Record<string, (cache: Cache) => Promise<unknown>> = {
  get: (cache) => cache.get('k'),
  getMany: (cache) => cache.getMany(['k']),
  getOrSet: (cache) => cache.getOrSet('k', () => 1),
  getOrSetMany: (cache) => cache.getOrSetMany(['k'], () => [['k', 1]]),
  set: (cache) => cache.set('k', 1),
  setMany: (cache) => cache.setMany([]),
  has: (cache) => cache.has('k'),
  ttl: (cache) => cache.ttl('k'),
  touch: (cache) => cache.touch('k'),
  delete: (cache) => cache.delete('k'),
  deleteMany: (cache) => cache.deleteMany(['k']),
  invalidate: (cache) => cache.invalidate({ all: true }),
  invalidateRoom: (cache) => cache.invalidateRoom('r'),
  invalidateTag: (cache) => cache.invalidateTag('t'),
  invalidatePattern: (cache) => cache.invalidatePattern('*'),
  expire: (cache) => cache.expire({ key: 'k' }),
  ready: (cache) => cache.ready(),
  'a wrapped function': (cache) => cache.wrap(() => 1, { key: () => 'k' })(),
}

describeCaches('close', ({ make, pass }) => {
  it('tells that it is closed, and its namespaces do', async () => {
    const cache = make()
    const below = cache.namespace('below')
    expect([cache.closed, below.closed]).toEqual([false, false])
    const closing = cache.close()
    expect([cache.closed, below.closed]).toEqual([true, true])
    await closing
  })

  it.each(Object.entries(calls))('makes later calls reject: %s', async (_, call) => {
    const cache = make()
    await cache.set('k', 'v')
    await cache.close()
    await expect(call(cache)).rejects.toEqual(closed)
  })

  it('makes namespace throw, and leaves what only tells about the cache working', async () => {
    const cache = make()
    await cache.set('k', 'v')
    await cache.close()
    expect(() => cache.namespace('users')).toThrow(closed)
    expect(cache.peek('k')).toBeUndefined()
    expect(cache.name).toBe('tiercel')
    expect(cache.stats()).toMatchObject({ sets: 1, memory: { entries: 0, bytes: 0 } })
    cache.on('hit', () => {})()
  })

  it.each([
    ['getMany', (cache: Cache) => cache.getMany([])],
    ['getOrSetMany', (cache: Cache) => cache.getOrSetMany([], () => [])],
  ])('makes later calls without keys reject: %s', async (_, call) => {
    const cache = make()
    await cache.close()
    await expect(call(cache)).rejects.toEqual(closed)
  })

  it('can be called again, and by the name of the resource it is', async () => {
    const cache = make()
    await cache[Symbol.asyncDispose]()
    await cache.close()
    await cache[Symbol.asyncDispose]()
    await expect(cache.get('k')).rejects.toEqual(closed)
  })

  it('tells loads under way by their signal, does not wait for them, and gives their callers what they give', async () => {
    const cache = make()
    const [loadOne, loadTwo] = [heldLoader(), heldLoader()]
    const results = Promise.allSettled([cache.getOrSet('a', loadOne), cache.getOrSet('b', loadTwo)])
    const [one, two] = [await loadOne.called(), await loadTwo.called()]
    await cache.close()
    expect(one.ctx.signal.aborted).toBe(true)
    expect(one.ctx.signal.reason).toEqual(closed)
    one.succeed('late')
    two.fail(new Error('down'))
    expect(await results).toEqual([
      { status: 'fulfilled', value: 'late' },
      { status: 'rejected', reason: expect.objectContaining({ message: 'down' }) },
    ])
    expect(cache.stats()).toMatchObject({ sets: 0, fenced: 0 })
    expect(cache.stats().memory.entries).toBe(0)
  })

  it('keeps nothing that a renewal or a load that timed out gives later', async () => {
    const cache = make({ ttl: '10s', refresh: 0.5, hardTimeout: '1s' })
    await cache.set('renewed', 'old')
    await pass(6000)
    const load = heldLoader()
    await cache.getOrSet('renewed', load)
    const renewal = await load.called(1)
    const failure = failureOf(cache.getOrSet('slow', load))
    const slow = await load.called(2)
    await pass(1000)
    expect(await failure).toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
    await cache.close()
    renewal.succeed('new')
    slow.succeed('new')
    await pass(0)
    expect(cache.stats().memory.entries).toBe(0)
    expect(cache.stats().loads.running).toBe(0)
  })

  it('lets a call whose load ignores the signal still fail by its hard timeout', async () => {
    const cache = make({ hardTimeout: '1s' })
    await cache.ready()
    const failure = failureOf(cache.getOrSet('k', () => new Promise(() => {})))
    await cache.close()
    await pass(1000)
    expect(await failure).toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
  })

  it('does not disturb another cache', async () => {
    const one = make()
    const other = make()
    await other.set('k', 'v')
    await one.close()
    expect(await other.get('k')).toBe('v')
  })

  it('does not fail when a listener of its end does', async () => {
    const cache = make()
    const listener = vi.fn(() => {
      throw new Error('listener')
    })
    cache.on('state', listener)
    await expect(cache.close()).resolves.toBeUndefined()
    expect(listener).toHaveBeenCalledTimes(1)
  })
})
