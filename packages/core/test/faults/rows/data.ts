import { expect } from 'vitest'
import { PATIENT } from '../arena.js'
import type { Row } from '../row.js'

/** What happens to the data in Redis. */
export const dataRows: readonly Row[] = [
  {
    fault: 'Redis pushes out tokens',
    injected: 'every key of Tiercel removed in turn, with entries left behind',
    promised: 'only misses',
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis, PATIENT)
      let removed = 0
      await cache.set('k', 'old', { tags: ['t'], room: 'r' })
      const names = ((await redis.cli('KEYS', '*')) as string[]).filter((name) => !name.endsWith(':v'))
      for (const name of names) {
        await cache.set('k', 'old', { tags: ['t'], room: 'r' })
        expect(await cache.invalidate({ tag: 't' })).toHaveProperty('durable', true)
        removed += Number(await redis.cli('UNLINK', name))
        await arena.connected(cache)
        expect(await cache.get('k', { memory: false })).toBeUndefined()
      }
      return `${removed} keys removed, nothing came back`
    },
  },
  {
    fault: 'Redis is full and pushes things out',
    injected: 'maxmemory, allkeys-random, while 300 values are invalidated by tag',
    promised: 'what was invalidated does not come back',
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis, PATIENT)
      const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
      for (const [i, key] of keys.entries()) await cache.set(key, 'x'.repeat(1000), { tags: [`t${i}`] })
      for (let i = 0; i < 300; i += 10) await cache.invalidate({ tags: Array.from({ length: 10 }, (_, j) => `t${i + j}`) })
      await redis.fillUp({ policy: 'allkeys-random' })
      for (let i = 0; i < 200; i++) await cache.set(`filler${i}`, 'x'.repeat(2000))
      const found = await cache.getMany(keys, { memory: false })
      expect(found.size).toBe(0)
      const evicted = /evicted_keys:(\d+)/.exec(String(await redis.cli('INFO', 'stats')))?.[1]
      expect(Number(evicted)).toBeGreaterThan(0)
      return `${evicted} keys pushed out, none of 300 came back`
    },
  },
  {
    fault: 'something foreign is under a name of Tiercel',
    injected: 'a list in the place of each of its keys',
    promised: 'a miss, and set and invalidate work',
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis, PATIENT)
      await cache.set('k', 'old', { tags: ['t'] })
      const names = (await redis.cli('KEYS', '*')) as string[]
      for (const name of names) {
        await redis.cli('DEL', name)
        await redis.cli('RPUSH', name, 'foreign')
      }
      await arena.until(async () => (await cache.getOrSet('k', () => 'new', { tags: ['t'], memory: false })) === 'new')
      await cache.set('k', 'newer', { tags: ['t'] })
      expect(await cache.get('k')).toBe('newer')
      await cache.invalidate({ tag: 't' })
      expect(await cache.getOrSet('k', () => 'newest', { tags: ['t'] })).toBe('newest')
      return `${names.length} keys replaced`
    },
  },
  {
    fault: 'entries are damaged',
    injected: 'a bit flipped in every byte, and something short in its place',
    promised: 'a miss, never another value',
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis, { ...PATIENT, maxStaleness: '1m' })
      await cache.set('k', { some: 'value' }, { tags: ['t'] })
      const name = ((await redis.cli('KEYS', '*:v')) as string[])[0] ?? ''
      const length = Number(await redis.cli('STRLEN', name))
      let misses = 0
      for (let at = 0; at < length; at++) {
        await redis.cli('COPY', name, 'kept', 'REPLACE')
        const bit = Number(await redis.cli('GETBIT', name, at * 8 + 3))
        await redis.cli('SETBIT', name, at * 8 + 3, 1 - bit)
        const read = await cache.get('k', { memory: false })
        expect([undefined, { some: 'value' }]).toContainEqual(read)
        if (read === undefined) misses++
        await redis.cli('COPY', 'kept', name, 'REPLACE')
      }
      await redis.cli('SET', name, 'cut')
      expect(await cache.get('k', { memory: false })).toBeUndefined()
      return `${misses} of ${length} flips were a miss, the others changed no value`
    },
  },
  {
    fault: 'a value is huge',
    injected: '64 MB under the name of an entry',
    promised: 'the call takes the deadline at most, and is a miss',
    isSlow: true,
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis, { memory: { maxBytes: 1 << 20 } })
      await cache.set('k', 'value')
      const name = ((await redis.cli('KEYS', '*:v')) as string[])[0] ?? ''
      await redis.cli('SETRANGE', name, 64 << 20, 'x')
      const began = performance.now()
      expect(await cache.getOrSet('k', () => 'loaded', { memory: false })).toBe('loaded')
      return `the call took ${(performance.now() - began).toFixed(0)} ms`
    },
  },
]
