import { expect, it } from 'vitest'
import type { Cache } from '../../src/index.js'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

async function filled(cache: Cache): Promise<Cache> {
  await cache.set('plain', 1)
  await cache.set('tagged', 2, { tags: ['t', 'u'] })
  await cache.set('roomed', 3, { room: 'r' })
  await cache.set('user:1', 4)
  await cache.set('user:2', 5)
  return cache
}

const keys = ['plain', 'tagged', 'roomed', 'user:1', 'user:2']
const left = async (cache: Cache) => [...(await cache.getMany(keys)).keys()]

describeCaches('invalidate', ({ leavesOut, make, pass }) => {
  it('forgets by key, keys, tag, tags, room, rooms and pattern', async () => {
    const cases = [
      [{ key: 'plain' }, ['tagged', 'roomed', 'user:1', 'user:2']],
      [{ keys: ['plain', 'roomed'] }, ['tagged', 'user:1', 'user:2']],
      [{ keys: new Set(['user:1']) }, ['plain', 'tagged', 'roomed', 'user:2']],
      [{ tag: 't' }, ['plain', 'roomed', 'user:1', 'user:2']],
      [{ tags: ['nothing has this', 'u'] }, ['plain', 'roomed', 'user:1', 'user:2']],
      [{ room: 'r' }, ['plain', 'tagged', 'user:1', 'user:2']],
      [{ rooms: new Set(['r', 's']) }, ['plain', 'tagged', 'user:1', 'user:2']],
      [{ pattern: 'user:*' }, ['plain', 'tagged', 'roomed']],
      [{ all: true }, []],
    ] as const
    for (const [target, expected] of cases) {
      const cache = await filled(make())
      await cache.invalidate(target)
      expect(await left(cache), JSON.stringify(target)).toEqual(expected)
    }
  })

  it('forgets whatever any field of the target names', async () => {
    const cache = await filled(make())
    await cache.invalidate({ key: 'plain', keys: ['user:1'], tag: 't', room: 'r', pattern: 'user:[2-9]' })
    expect(await left(cache)).toEqual([])
  })

  it('has a short form for a room, a tag and a pattern', async () => {
    const cache = await filled(make())
    expect(await cache.invalidateRoom('r')).toMatchObject({ durable: true })
    expect(await cache.invalidateTag('t')).toMatchObject({ durable: true })
    expect(await cache.invalidatePattern('user:*')).toEqual({ durable: true, count: 2 })
    expect(await left(cache)).toEqual(['plain'])
  })

  it('tells how many values keys and patterns dropped, and nothing where it is not known', async () => {
    const cache = await filled(make())
    expect(await cache.invalidate({ keys: ['plain', 'plain', 'missing'] })).toEqual({ durable: true, count: 1 })
    expect(await cache.invalidate({ key: 'tagged', pattern: 'user:*' })).toEqual({ durable: true, count: 3 })
    expect(await cache.invalidate({ tag: 't' })).toEqual({ durable: true })
    expect(await cache.invalidate({ all: true })).toEqual({ durable: true })
  })

  it('tells that no keys dropped no values', async () => {
    const cache = make()
    expect(await cache.deleteMany([])).toEqual({ durable: true, count: 0 })
  })

  it.skipIf(leavesOut('an entry in Redis that can not be served any more is there, and counts, until it is overwritten or its time is over'))('does not count what could not have been served any more', async () => {
    const cache = make({ ttl: '1s' })
    await cache.set('stale', 1)
    await cache.set('dead', 1, { tags: ['t'] })
    await cache.invalidateTag('t')
    await pass(1000)
    expect(await cache.invalidate({ keys: ['stale', 'dead'] })).toEqual({ durable: true, count: 0 })
  })

  it.each([{ key: 'k' }, { tag: 't' }, { room: 'r' }, { pattern: '*' }, { all: true }])(
    'keeps out a load that began before it, and gives its value to those who waited: %j',
    async (target) => {
      const cache = make()
      const load = heldLoader()
      const early = cache.getOrSet('k', load, { tags: ['t'], room: 'r' })
      const first = await load.called(1)
      await cache.invalidate(target)
      const late = cache.getOrSet('k', load, { tags: ['t'], room: 'r' })
      const second = await load.called(2)
      second.succeed('new')
      expect(await late).toBe('new')
      first.succeed('old')
      expect(await early).toBe('old')
      expect(await cache.get('k')).toBe('new')
    },
  )

  it.each([{ key: 'k' }, { tag: 't' }, { room: 'r' }, { pattern: 'k' }, { all: true }])('drops grace too: %j', async (target) => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old', { tags: ['t'], room: 'r' })
    await pass(1000)
    await cache.invalidate(target)
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  })

  it('can be repeated, and what is stored afterwards stays', async () => {
    const cache = make()
    await cache.set('k', 1, { tags: ['t'] })
    await cache.invalidateTag('t')
    await cache.invalidateTag('t')
    await cache.set('k', 2, { tags: ['t'] })
    expect(await cache.get('k')).toBe(2)
    await cache.invalidateTag('t')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('drops nothing when any part of the target is refused', async () => {
    const cache = await filled(make())
    await expect(cache.invalidate({ key: 'plain', tag: '' })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TAG' })
    await expect(cache.invalidate({ key: 'plain', pattern: '[' })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TARGET' })
    await expect(cache.invalidate({ tag: 't', keys: ['plain', ''] })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    expect(await left(cache)).toEqual(keys)
  })
})
