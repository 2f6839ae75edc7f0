import { expect } from 'vitest'
import { startFakeClock } from '../../../src/testing/index.js'
import { ms, PATIENT } from '../arena.js'
import type { Row } from '../row.js'
import { Stopwatch } from '../stopwatch.js'

/** What happens to the process or its loads. */
export const cacheRows: readonly Row[] = [
  {
    fault: 'a load takes longer than its lease',
    injected: 'a loader of 4 s',
    promised: 'nobody else loads meanwhile, and the value is stored',
    isSlow: true,
    async check(arena) {
      const redis = await arena.redis()
      const [one, other] = [await arena.open(redis, PATIENT), await arena.open(redis, PATIENT)]
      let loads = 0
      const load = async () => {
        loads++
        await new Promise((resolve) => setTimeout(resolve, 4000))
        return 'value'
      }
      const values = await Promise.all([one.getOrSet('k', load), other.getOrSet('k', load)])
      expect({ values, loads }).toEqual({ values: ['value', 'value'], loads: 1 })
      return '1 load'
    },
  },
  {
    fault: 'the owner of a lease is gone',
    injected: 'a lease that nobody renews',
    promised: 'who waits loads when the lease has ended',
    isSlow: true,
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis)
      await cache.set('k', 'old')
      const name = String(((await redis.cli('KEYS', '*:v')) as string[])[0])
      await redis.cli('UNLINK', name)
      await redis.cli('SET', name.replace(/v$/, 'l'), 'somebody', 'PX', 3000)
      const began = performance.now()
      expect(await cache.getOrSet('k', () => 'new', { memory: false })).toBe('new')
      return `waited ${ms(performance.now() - began)} of 3000 ms`
    },
  },
  {
    fault: 'the event loop stands still',
    injected: 'a busy loop of 600 ms, maxStaleness 300 ms',
    promised: 'the first call afterwards is not served from memory',
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis, { maxStaleness: 300 })
      await cache.set('k', 'old')
      const until = performance.now() + 600
      while (performance.now() < until);
      expect(cache.peek('k')).toBeUndefined()
      await arena.connected(cache)
      return 'not served'
    },
  },
  {
    fault: 'the time of day jumps',
    injected: 'Date an hour forward, and two back',
    promised: 'nothing expires sooner or later',
    async check(arena) {
      const redis = await arena.redis()
      const clock = startFakeClock({ running: true })
      try {
        const cache = await arena.open(redis, PATIENT)
        await cache.set('k', 'value', { ttl: '10m' })
        for (const hours of [1, -1]) {
          clock.setDate(new Date(Date.now() + hours * 2 * 3_600_000))
          expect(await cache.get('k')).toBe('value')
          expect(await cache.get('k', { memory: false })).toBe('value')
          // The time of Redis is known to within a round trip, which a busy machine makes long.
          expect(await cache.ttl('k')).toBeLessThanOrEqual(660_000)
        }
        await cache.close()
      } finally {
        clock.stop()
      }
      return 'no difference'
    },
  },
  {
    fault: 'a load throws, hangs, or gives nothing',
    injected: 'each of them, in two processes',
    promised: 'it is told, nothing is kept, and nobody waits for its lease',
    async check(arena) {
      const redis = await arena.redis()
      const [one, other] = [await arena.open(redis, PATIENT), await arena.open(redis, PATIENT)]
      await expect(one.getOrSet('throws', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
      expect(await other.getOrSet('throws', () => 1)).toBe(1)
      expect(await one.getOrSet('nothing', () => undefined)).toBeUndefined()
      expect(await other.getOrSet('nothing', () => 1)).toBe(1)
      await expect(one.getOrSet('hangs', () => new Promise(() => {}), { hardTimeout: 20, signal: AbortSignal.timeout(40) })).rejects.toThrow()
      await one.invalidate({ key: 'hangs' })
      expect(await other.getOrSet('hangs', () => 1)).toBe(1)
      return 'told, not kept, not waited for'
    },
  },
  {
    fault: 'the cache is closed in the middle of writes',
    injected: 'close() among 500 of them, Redis stopped',
    promised: 'close is bounded, and no promise is left behind',
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis)
      redis.pause()
      const writing = Array.from({ length: 500 }, (_, i) => cache.set(`k${i}`, i).catch((error: { code: string }) => error.code))
      const watch = new Stopwatch()
      const closing = await watch.time(() => cache.close())
      watch.stop()
      await Promise.all(writing)
      redis.resume()
      expect(closing).toBeLessThan(5000)
      return `closed after ${ms(closing)}`
    },
  },
]
