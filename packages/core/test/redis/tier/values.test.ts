import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CacheOptions } from '../../../src/index.js'
import { exact, plainer, refused } from '../../codec/values.js'
import { describeWithRedis } from '../server/index.js'
import { useTier } from './tier.js'

const entry = 'tiercel:1:{k}:v'

describeWithRedis('values that go through Redis', () => {
  const tier = useTier()
  /** What another process is given of a value. */
  const through = async (value: unknown, options: CacheOptions = {}): Promise<unknown> => {
    const [one, other] = [await tier.open(options), await tier.open(options)]
    expect(await one.set('k', value)).toBe(true)
    return other.get('k')
  }

  it('come back as they were, or as what of them can be kept', async () => {
    const [one, other] = [await tier.open(), await tier.open()]
    const both = [...exact.map(([name, value]) => [name, value, value] as const), ...plainer].filter(([, value]) => value !== undefined)
    for (const [name, value, read] of both) {
      expect(await one.set(`value:${name}`, value), name).toBe(true)
      expect(await other.get(`value:${name}`), name).toEqual(read)
    }
    expect(other.stats()).toMatchObject({ redis: { hits: both.length }, misses: 0 })
  })

  it('are not kept when they cannot be encoded, and leave nothing older behind', async () => {
    const cache = await tier.open()
    for (const [name, make] of refused) {
      await cache.set('k', 'old')
      expect(await cache.set('k', make()), name).toBe(false)
      expect(await tier.names(), name).not.toContain(entry)
    }
    expect(cache.stats().uncacheable).toBe(refused.length)
  })

  it('leave nothing older behind when they are loaded past the cache and cannot be kept', async () => {
    const cache = await tier.open()
    await cache.set('k', 'old')
    await cache.getOrSet<unknown>('k', () => Symbol('live'), { bypass: 'read' })
    expect(await tier.names()).not.toContain(entry)
  })

  it('are those of the time when they were set', async () => {
    const [one, other] = [await tier.open(), await tier.open()]
    const value = { list: [1] }
    const setting = one.set('k', value)
    value.list.push(2)
    await setting
    expect(await other.get('k')).toEqual({ list: expect.arrayContaining([1]) })
  })

  it('are copies for each reader with `clone`, those that come from Redis too', async () => {
    const [one, other] = [await tier.open({ clone: true }), await tier.open({ clone: true })]
    await one.set('k', { list: [1] })
    const first = await other.get<{ list: number[] }>('k')
    first?.list.push(2)
    const loaded = await other.getOrSet<{ list: number[] }>('k', () => ({ list: [] }))
    loaded.list.push(3)
    expect(await other.get('k')).toEqual({ list: [1] })
  })

  describe.each([
    ['gzip', true],
    ['brotli', { algorithm: 'brotli', minBytes: 100 }],
  ] as const)('compressed by %s', (_, compression) => {
    it('are smaller in Redis, and read by whoever does not compress', async () => {
      const value = { text: 'the same over and over, '.repeat(1000), at: new Date(5) }
      const [one, other] = [await tier.open({ compression }), await tier.open()]
      await one.set('k', value)
      expect(Number(await tier.redis.cli('STRLEN', entry))).toBeLessThan(2000)
      expect(await other.get('k')).toEqual(value)
      expect(await one.touch('k', '1h')).toBe(true)
      expect(await other.get('k')).toEqual(value)
    })

    it('are loaded once for many, and forgotten as others are', async () => {
      const caches = [await tier.open({ compression }), await tier.open({ compression })]
      let loads = 0
      const load = () => `${++loads}`.padEnd(5000)
      await Promise.all(caches.flatMap((cache) => Array.from({ length: 20 }, () => cache.getOrSet('k', load, { tags: ['t'] }))))
      expect(loads).toBe(1)
      await caches[0]?.invalidateTag('t')
      expect(await tier.opening().get('k')).toBeUndefined()
    })
  })

  describe('encrypted', () => {
    const secret = () => randomBytes(32)
    const key = secret()

    it('cannot be read in Redis, and are read by whoever has the key', async () => {
      const value = { card: '4111 1111 1111 1111' }
      expect(await through(value, { encryption: key })).toEqual(value)
      const bytes = (await tier.send('GET', entry)) as Buffer
      expect(bytes.includes('4111')).toBe(false)
    })

    it.each([
      ['another key', { encryption: randomBytes(32) }],
      ['no key', {}],
    ])('are a miss for whoever has %s, and are replaced', async (_, options: CacheOptions) => {
      const [one, other] = [await tier.open({ encryption: key }), await tier.open(options)]
      await one.set('k', 'theirs')
      expect(await other.get('k')).toBeUndefined()
      expect(await other.getOrSet('k', () => 'mine')).toBe('mine')
      expect(other.stats().redis?.corruptEntries).toBeGreaterThan(0)
      expect(await (await tier.open(options)).get('k')).toBe('mine')
    })

    it('are a miss for whoever encrypts, when they are not encrypted', async () => {
      const [one, other] = [await tier.open(), await tier.open({ encryption: key })]
      await one.set('k', 'plain')
      expect(await other.get('k')).toBeUndefined()
      expect(other.stats().redis?.corruptEntries).toBe(1)
    })

    it('are read with an older key while a newer one writes', async () => {
      const newer = secret()
      await (await tier.open({ encryption: key })).set('k', 'v')
      const cache = await tier.open({ encryption: { keys: [newer, key] } })
      expect(await cache.get('k')).toBe('v')
      await cache.set('k', 'w')
      expect(await (await tier.open({ encryption: newer })).get('k')).toBe('w')
    })

    it.each(['RENAME', 'COPY'])('are a miss under another key or in another namespace, where %s put them', async (command) => {
      const cache = await tier.open({ encryption: key })
      const users = cache.namespace('users')
      for (const [there, from] of [['tiercel:1:{other}:v', cache], ['tiercel:users:1:{k}:v', users]] as const) {
        await cache.set('k', 'v')
        await from.set('warm', 1)
        await tier.redis.cli(command, entry, there)
        expect(await from.get(from === cache ? 'other' : 'k')).toBeUndefined()
      }
      expect(cache.stats().redis?.corruptEntries).toBe(2)
    })
  })

  describe('with a codec of one\u2019s own', () => {
    const codec = { id: 99, encode: (value: unknown) => Buffer.from(`<${JSON.stringify(value)}>`), decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString().slice(1, -1)) as unknown }

    it('are as it makes them', async () => {
      expect(await through({ a: [1] }, { codec })).toEqual({ a: [1] })
      expect(String(await tier.redis.cli('GETRANGE', entry, -11, -1))).toBe('<{"a":[1]}>')
    })

    it('are a miss for whoever has another', async () => {
      const [one, other] = [await tier.open({ codec }), await tier.open()]
      await one.set('k', 1)
      expect(await other.getOrSet('k', () => 2)).toBe(2)
      expect(other.stats().redis?.corruptEntries).toBeGreaterThan(0)
    })

    it('are a miss when it cannot decode them, and are served and not kept when it cannot encode them', async () => {
      const fails = () => {
        throw new Error('broken codec')
      }
      await (await tier.open({ codec })).set('k', 1)
      expect(await (await tier.open({ codec: { ...codec, decode: fails } })).getOrSet('k', () => 2)).toBe(2)
      const cache = await tier.open({ codec: { ...codec, encode: fails } })
      expect(await cache.getOrSet('other', () => 3)).toBe(3)
      expect(cache.stats().uncacheable).toBe(1)
      expect(await tier.names()).not.toContain('tiercel:1:{other}:v')
    })
  })

  it('are served and not kept when they are larger than maxValueBytes, and leave nothing older behind', async () => {
    const cache = await tier.open({ maxValueBytes: 1000 })
    const large = 'x'.repeat(2000)
    await cache.set('k', 'old')
    expect(await cache.set('k', large)).toBe(false)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', () => large)).toBe(large)
    expect(await tier.names()).not.toContain(entry)
    expect(cache.stats().uncacheable).toBe(2)
  })

  it('are not read when they are larger than maxValueBytes allows here', async () => {
    const [one, other] = [await tier.open(), await tier.open({ maxValueBytes: 1000 })]
    await one.set('k', 'x'.repeat(200_000))
    // What is in Redis was good for who stored it: here it is either a value or a miss, and never an error.
    const value = await other.getOrSet('k', () => 'small')
    expect(['small', 'x'.repeat(200_000)]).toContain(value)
  })
})
