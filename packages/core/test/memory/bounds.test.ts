import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.js'

const present = async (cache: Cache, keys: readonly string[]) => [...(await cache.getMany(keys)).keys()]

describe('bounds of the memory', () => {
  it('are 10,000 entries and 32 MiB when nothing is said', () => {
    const { memory } = createCache().stats()
    expect(memory).toMatchObject({ entries: 0, maxEntries: 10_000, bytes: 0, maxBytes: 32 * 2 ** 20 })
  })

  it('are shown by stats and health', async () => {
    const cache = createCache({ memory: { maxEntries: 5, maxBytes: 5000 } })
    await cache.set('k', 'v')
    const { memory } = cache.stats()
    expect(memory).toMatchObject({ entries: 1, maxEntries: 5, maxBytes: 5000 })
    expect(memory.bytes).toBeGreaterThan(0)
    expect(cache.health().memory).toMatchObject({ entries: 1, maxEntries: 5, maxBytes: 5000, bytes: memory.bytes })
  })

  it('push out the entry that was used longest ago', async () => {
    const cache = createCache({ memory: { maxEntries: 3 } })
    await cache.setMany([['a', 1], ['b', 2], ['c', 3]])
    await cache.get('a')
    await cache.getOrSet('b', () => 0)
    await cache.set('d', 4)
    expect(await present(cache, ['a', 'b', 'c', 'd'])).toEqual(['a', 'b', 'd'])
  })

  it('do not take a peek for use', async () => {
    const cache = createCache({ memory: { maxEntries: 2 } })
    await cache.setMany([['a', 1], ['b', 2]])
    expect(cache.peek('a')).toBe(1)
    await cache.set('c', 3)
    expect(await present(cache, ['a', 'b', 'c'])).toEqual(['b', 'c'])
  })

  it('push out as many entries as a large one needs', async () => {
    const cache = createCache({ memory: { maxBytes: 10_000 } })
    await cache.setMany(Array.from({ length: 20 }, (_, i) => [`k${i}`, i]))
    expect(cache.stats().memory.entries).toBe(20)
    expect(await cache.set('large', 'x'.repeat(9000))).toBe(true)
    expect(cache.stats().memory.entries).toBeLessThan(5)
    expect(cache.stats().memory.bytes).toBeLessThanOrEqual(10_000)
    expect(await cache.has('large')).toBe(true)
  })

  it('keep out a value that is larger than all of the memory, and with it the older one', async () => {
    const cache = createCache({ memory: { maxBytes: 1000 } })
    await cache.set('k', 'old')
    await cache.set('other', 1)
    expect(await cache.set('k', 'x'.repeat(2000))).toBe(false)
    expect(await cache.getOrSet('k', () => 'x'.repeat(2000))).toHaveLength(2000)
    expect(await present(cache, ['k', 'other'])).toEqual(['other'])
    expect(cache.stats().uncacheable).toBe(2)
  })

  it('count what a key takes as well', async () => {
    const cache = createCache()
    await cache.set('k', 1)
    const short = cache.stats().memory.bytes
    await cache.delete('k')
    await cache.set('k'.repeat(1001), 1)
    expect(cache.stats().memory.bytes - short).toBe(1000)
  })

  it('give back what is deleted or replaced by something smaller', async () => {
    const cache = createCache()
    await cache.set('k', 'x'.repeat(1000))
    const large = cache.stats().memory.bytes
    await cache.set('k', 'x')
    expect(cache.stats().memory.bytes).toBeLessThan(large - 900)
    await cache.delete('k')
    expect(cache.stats().memory).toMatchObject({ entries: 0, bytes: 0 })
  })

  it('are shared by the cache and all its namespaces', async () => {
    const cache = createCache({ memory: { maxEntries: 10 } })
    for (let tenant = 0; tenant < 20; tenant++) await cache.namespace(`tenant-${tenant}`).set('k', tenant)
    expect(cache.stats().memory.entries).toBe(10)
    expect(cache.namespace('tenant-19').stats().memory.entries).toBe(10)
    expect(await cache.namespace('tenant-0').get('k')).toBeUndefined()
    expect(await cache.namespace('tenant-19').get('k')).toBe(19)
  })

  it('are given back at once when all is invalidated, and by tag as others need the room', async () => {
    const cache = createCache({ memory: { maxEntries: 3 } })
    await cache.setMany([['a', 1], ['b', 2]], { tags: ['t'] })
    await cache.invalidateTag('t')
    expect(cache.stats().memory.entries).toBe(2)
    await cache.setMany([['c', 3], ['d', 4], ['e', 5]])
    expect(await present(cache, ['a', 'b', 'c', 'd', 'e'])).toEqual(['c', 'd', 'e'])
    await cache.invalidate({ all: true })
    expect(cache.stats().memory).toMatchObject({ entries: 0, bytes: 0 })
  })

  it('are never exceeded, whatever is stored and dropped', async () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), key: keys, size: fc.nat(3000) }),
      fc.record({ kind: fc.constant('delete' as const), key: keys }),
      fc.record({ kind: fc.constant('tag' as const), key: keys }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const cache = createCache({ memory: { maxEntries: 4, maxBytes: 4000 } })
        for (const each of steps) {
          if (each.kind === 'set') await cache.set(each.key, 'x'.repeat(each.size), { tags: [each.key] })
          else if (each.kind === 'delete') await cache.delete(each.key)
          else await cache.invalidateTag(each.key)
          const { entries, bytes } = cache.stats().memory
          expect(entries).toBeLessThanOrEqual(4)
          expect(bytes).toBeLessThanOrEqual(4000)
          expect(entries === 0).toBe(bytes === 0)
        }
        await cache.close()
        expect(cache.stats().memory).toMatchObject({ entries: 0, bytes: 0 })
      }),
      { numRuns: 100 },
    )
  })
})
