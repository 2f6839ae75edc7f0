import { expect, it, vi } from 'vitest'
import type { BatchContext } from '../../src/index.js'
import { failureOf } from './failure-of.js'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

const upper = (missing: string[]) => missing.map((key) => [key, key.toUpperCase()] as const)

describeCaches('getMany and setMany', ({ make }) => {
  it('finds what there is, in the order asked for, each key once', async () => {
    const cache = make()
    await cache.setMany([['a', 1], ['b', null], ['c', 3]])
    const found = await cache.getMany(['c', 'missing', 'b', 'a', 'c'])
    expect([...found]).toEqual([['c', 3], ['b', null], ['a', 1]])
  })

  it('takes any iterable of keys and of pairs', async () => {
    const cache = make()
    expect(await cache.setMany(new Map([['a', 1], ['b', 2]]))).toBe(2)
    expect(await cache.getMany(new Set(['a', 'b']))).toEqual(new Map([['a', 1], ['b', 2]]))
    const keys = function* () {
      yield 'b'
    }
    expect(await cache.getMany(keys())).toEqual(new Map([['b', 2]]))
  })

  it('gives nothing for no keys', async () => {
    const cache = make()
    expect(await cache.getMany([])).toEqual(new Map())
    expect(await cache.setMany([])).toBe(0)
    const load = vi.fn(upper)
    expect(await cache.getOrSetMany([], load)).toEqual(new Map())
    expect(load).not.toHaveBeenCalled()
  })

  it('tells how many were kept, and empties the keys of the others', async () => {
    const cache = make()
    await cache.set('none', 'old')
    expect(await cache.setMany([['a', 1], ['none', undefined], ['live', () => 1]])).toBe(1)
    expect(await cache.getMany(['a', 'none', 'live'])).toEqual(new Map([['a', 1]]))
  })

  it('keeps the last of two values for one key', async () => {
    const cache = make()
    await cache.setMany([['a', 1], ['a', 2]])
    expect(await cache.get('a')).toBe(2)
  })

  it('gives all of a batch the options of the call', async () => {
    const cache = make()
    await cache.setMany([['a', 1], ['b', 2]], { ttl: '1s', tags: ['t'] })
    expect([await cache.ttl('a'), await cache.ttl('b')]).toEqual([1000, 1000])
    await cache.invalidateTag('t')
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map())
  })

  it('sets nothing when one key or pair of a batch is refused', async () => {
    const cache = make()
    await expect(cache.setMany([['a', 1], ['', 2]])).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    await expect(cache.setMany([['a', 1], 'bc' as unknown as [string, unknown]])).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    expect(await cache.get('a')).toBeUndefined()
  })

  it('deletes many at once and tells how many there were', async () => {
    const cache = make()
    await cache.setMany([['a', 1], ['b', 2], ['c', 3]])
    expect(await cache.deleteMany(new Set(['a', 'b', 'missing']))).toEqual({ durable: true, count: 2 })
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(new Map([['c', 3]]))
  })
})

describeCaches('getOrSetMany', ({ make, pass }) => {
  it('loads what is missing in one call and gives all in the order asked for', async () => {
    const cache = make()
    await cache.set('b', 'cached')
    const load = vi.fn(upper)
    expect([...(await cache.getOrSetMany(['c', 'b', 'a', 'c'], load))]).toEqual([['c', 'C'], ['b', 'cached'], ['a', 'A']])
    expect(load).toHaveBeenCalledTimes(1)
    expect(load).toHaveBeenCalledWith(['c', 'a'], expect.anything())
    await cache.getOrSetMany(['a', 'b', 'c'], load)
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('takes a Map, pairs or any iterable of pairs from the loader, at once or later', async () => {
    const cache = make()
    const generated = function* () {
      yield ['generated', 3] as const
    }
    expect(await cache.getOrSetMany(['map'], () => new Map([['map', 1]]))).toEqual(new Map([['map', 1]]))
    expect(await cache.getOrSetMany(['pairs'], async () => [['pairs', 2]])).toEqual(new Map([['pairs', 2]]))
    expect(await cache.getOrSetMany(['generated'], generated)).toEqual(new Map([['generated', 3]]))
    expect(await cache.getMany(['map', 'pairs', 'generated'])).toEqual(new Map([['map', 1], ['pairs', 2], ['generated', 3]]))
  })

  it('leaves out, and does not keep, keys without a value', async () => {
    const cache = make()
    const load = vi.fn((missing: string[]) => missing.filter((key) => key !== 'gone').map((key) => [key, key === 'void' ? undefined : 1] as const))
    expect(await cache.getOrSetMany(['here', 'gone', 'void'], load)).toEqual(new Map([['here', 1]]))
    await cache.getOrSetMany(['here', 'gone', 'void'], load)
    expect(load).toHaveBeenLastCalledWith(['gone', 'void'], expect.anything())
  })

  it('ignores values for keys that were not asked for', async () => {
    const cache = make()
    expect(await cache.getOrSetMany(['a'], () => [['a', 1], ['b', 2]])).toEqual(new Map([['a', 1]]))
    expect(await cache.get('b')).toBeUndefined()
  })

  it.each([
    ['nothing', undefined],
    ['an object', { a: 1 }],
    ['values without keys', ['v']],
    ['a string', 'ab'],
  ])('refuses a loader that returns %s', async (_, returned) => {
    const cache = make()
    const call = cache.getOrSetMany(['a', 'b'], () => returned as unknown as [])
    await expect(call).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    expect(await cache.get('a')).toBeUndefined()
  })

  it('waits for keys that others are loading and asks for the rest', async () => {
    const cache = make()
    const load = heldLoader()
    const other = cache.getOrSet('a', load)
    const call = await load.called()
    const loadMany = vi.fn(upper)
    const many = cache.getOrSetMany(['a', 'b'], loadMany)
    call.succeed('from the other')
    expect(await many).toEqual(new Map([['a', 'from the other'], ['b', 'B']]))
    expect(loadMany).toHaveBeenCalledWith(['b'], expect.anything())
    expect(await other).toBe('from the other')
  })

  it('lets others wait for a key it is loading', async () => {
    const cache = make()
    let finish: (pairs: [string, string][]) => void = () => {}
    const began = new Promise<void>((resolve) => {
      void cache.getOrSetMany(['a', 'b'], () => {
        resolve()
        return new Promise<[string, string][]>((done) => (finish = done))
      })
    })
    await began
    const load = vi.fn(() => 'not asked')
    const single = cache.getOrSet('a', load)
    finish([['a', '1'], ['b', '2']])
    expect(await single).toBe('1')
    expect(load).not.toHaveBeenCalled()
  })

  it('keeps out the key that is invalidated while the batch loads, and keeps the others', async () => {
    const cache = make()
    const pairs = await cache.getOrSetMany(['a', 'b', 'c'], async (missing) => {
      await cache.delete('b')
      return upper(missing)
    })
    expect(pairs.get('b')).toBe('B')
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(new Map([['a', 'A'], ['c', 'C']]))
  })

  it('fails as a whole when its loader fails, and for all who wait for one of its keys', async () => {
    const cache = make()
    const many = cache.getOrSetMany(['a', 'b'], () => Promise.reject(new Error('down')))
    const single = cache.getOrSet('b', () => 'not asked')
    const results = await Promise.allSettled([many, single])
    expect(results.map((result) => result.status === 'rejected' && String(result.reason))).toEqual(['Error: down', 'Error: down'])
    expect(await cache.getOrSetMany(['a', 'b'], upper)).toEqual(new Map([['a', 'A'], ['b', 'B']]))
  })

  it('serves grace for each of its keys when its loader fails', async () => {
    const cache = make({ ttl: '1s', grace: '1m' })
    await cache.getOrSetMany(['a', 'b'], upper)
    await pass(1000)
    expect(await cache.getOrSetMany(['a', 'b'], () => Promise.reject(new Error('down')))).toEqual(new Map([['a', 'A'], ['b', 'B']]))
  })

  it('decides for each key by its own context, or for all at once', async () => {
    const cache = make({ grace: '1h' })
    const decide = (missing: string[], ctx: BatchContext) => {
      ctx.ttl('10s')
      ctx.tags('all', ['letters'])
      ctx.room('lobby')
      ctx.for('a').ttl('20s')
      ctx.for('a').tags('a')
      ctx.for('b').skip()
      ctx.for('c').etag('c1')
      return upper(missing)
    }
    await cache.getOrSetMany(['a', 'b', 'c'], decide)
    expect([await cache.ttl('a'), await cache.ttl('b'), await cache.ttl('c')]).toEqual([20_000, undefined, 10_000])

    await cache.expire({ key: 'c' })
    await cache.getOrSetMany(['c'], (_, ctx) => {
      expect(ctx.for('c').stale).toEqual({ value: 'C', etag: 'c1' })
      return [['c', ctx.for('c').notModified() as string]]
    })
    expect(await cache.get('c')).toBe('C')

    await cache.invalidateTag('a')
    expect(await cache.getMany(['a', 'c'])).toEqual(new Map([['c', 'C']]))
    await cache.invalidateTag('letters')
    expect(await cache.get('c')).toBeUndefined()
  })

  it('puts all of a batch into the room its loader names', async () => {
    const cache = make()
    await cache.getOrSetMany(['a', 'b'], (missing, ctx) => {
      ctx.room('lobby')
      return upper(missing)
    })
    await cache.invalidateRoom('lobby')
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map())
  })

  it('keeps nothing of a batch that is skipped', async () => {
    const cache = make()
    const found = await cache.getOrSetMany(['a', 'b'], (missing, ctx) => {
      ctx.skip()
      return upper(missing)
    })
    expect(found).toEqual(new Map([['a', 'A'], ['b', 'B']]))
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map())
  })

  it('refuses the context of a key it was not asked for', async () => {
    const cache = make()
    const call = cache.getOrSetMany(['a'], (missing, ctx) => {
      ctx.for('b').skip()
      return upper(missing)
    })
    await expect(call).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })

  it('aborts the signal of the batch when nobody waits for any of its keys any more', async () => {
    const cache = make()
    const patience = new AbortController()
    let began: (signal: AbortSignal) => void = () => {}
    const signalOfBatch = new Promise<AbortSignal>((resolve) => (began = resolve))
    const call = cache.getOrSetMany(
      ['a', 'b'],
      (_, ctx) => {
        began(ctx.signal)
        return new Promise<[]>(() => {})
      },
      { signal: patience.signal },
    )
    const gaveUp = failureOf(call)
    const signal = await signalOfBatch
    const other = cache.getOrSet('b', () => 'not asked', { hardTimeout: '1s' })
    const timedOut = failureOf(other)
    patience.abort(new Error('enough'))
    expect(String(await gaveUp)).toContain('enough')
    expect(signal.aborted).toBe(false)
    await pass(1000)
    expect(await timedOut).toMatchObject({ code: 'TIERCEL_LOAD_TIMEOUT' })
    await pass(30_000)
    expect(signal.aborted).toBe(true)
  })

  it('renews in one call what is due for refresh', async () => {
    const cache = make({ ttl: '10s', refresh: 0.5 })
    await cache.getOrSetMany(['a', 'b'], upper)
    await pass(6000)
    const renew = vi.fn((missing: string[]) => missing.map((key) => [key, 'renewed'] as const))
    expect(await cache.getOrSetMany(['a', 'b'], renew)).toEqual(new Map([['a', 'A'], ['b', 'B']]))
    await pass(0)
    expect(renew).toHaveBeenCalledTimes(1)
    expect(renew).toHaveBeenCalledWith(['a', 'b'], expect.anything())
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map([['a', 'renewed'], ['b', 'renewed']]))
  })

  it('loads again a key whose joined load turned out to be too old', async () => {
    const cache = make()
    const load = heldLoader()
    const early = cache.getOrSet('a', load)
    const call = await load.called()
    await cache.invalidateTag('late')
    const many = cache.getOrSetMany(['a', 'b'], upper)
    await pass(1)
    call.ctx.tags('late')
    call.succeed('before the invalidation')
    expect(await early).toBe('before the invalidation')
    expect(await many).toEqual(new Map([['a', 'A'], ['b', 'B']]))
  })
})
