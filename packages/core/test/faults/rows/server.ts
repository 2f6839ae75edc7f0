import { expect } from 'vitest'
import { ms, PATIENT } from '../arena.js'
import type { Row } from '../row.js'

/** What happens to the server as a whole. */
export const serverRows: readonly Row[] = [
  {
    fault: 'Redis is down when the service starts',
    injected: 'nobody listens on its port',
    promised: 'calls load within the deadline, and it connects by itself later',
    async check(arena) {
      const { proxy } = await arena.pair()
      proxy.refuse()
      const cache = arena.opening(proxy)
      const slowest = await arena.slowest(cache)
      expect(cache.getConnectionStatus()).toBe('memory-fallback')
      await proxy.heal()
      return `slowest call ${ms(slowest)}, connected after ${ms(await arena.connected(cache))}`
    },
  },
  {
    fault: 'Redis is killed',
    injected: 'SIGKILL, and started again',
    promised: 'no call fails, and what was invalidated meanwhile is told afterwards',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [one, other] = [await arena.open(proxy), await arena.open(proxy)]
      await arena.share(one, other, 'k', 'old')
      await redis.kill()
      const slowest = await arena.slowest(one)
      expect(await one.invalidate({ key: 'k' })).toHaveProperty('durable', false)
      await redis.start()
      const back = await arena.connected(one, other)
      expect(await other.getOrSet('k', () => 'new')).toBe('new')
      return `slowest call ${ms(slowest)}, back after ${ms(back)}`
    },
  },
  {
    fault: 'Redis restarts empty',
    injected: 'killed, started with nothing',
    promised: 'only misses, and invalidations reach everybody again',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [one, other] = [await arena.open(proxy), await arena.open(proxy)]
      await one.getOrSet('k', () => 'old')
      await other.getOrSet('k', () => 'old')
      await redis.restart()
      // Nobody has to have noticed yet.
      expect(await other.getOrSet('k', () => 'old')).toBe('old')
      await arena.until(async () => (await one.invalidate({ key: 'k' })).durable)
      await arena.until(() => other.peek('k') === undefined)
      expect(await other.getOrSet('k', () => 'new')).toBe('new')
      return 'nothing old'
    },
  },
  {
    fault: 'Redis comes back with an old backup',
    injected: 'dump, invalidate, SIGKILL, start with the dump',
    promised: 'what was invalidated does not come back',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const cache = await arena.open(proxy, PATIENT)
      await cache.setMany([['k', 'old'], ['tagged', 'old']], { tags: ['t'] })
      const backup = await redis.dump()
      expect(await cache.invalidate({ key: 'k', tag: 't' })).toHaveProperty('durable', true)
      await redis.restart(backup)
      const reads: unknown[] = []
      await arena.until(async () => {
        reads.push(await cache.get('k', { memory: false }), await cache.get('tagged', { memory: false }))
        return cache.health().healthy && reads.length > 20
      })
      expect(reads.filter((read) => read !== undefined)).toEqual([])
      return `${reads.length} reads, none old`
    },
  },
  {
    fault: 'Redis is stopped',
    injected: 'SIGSTOP, later SIGCONT',
    promised: 'calls take the deadline at most, and memory answers no longer than maxStaleness',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const cache = await arena.open(proxy, { maxStaleness: 300 })
      await cache.set('k', 'value')
      redis.pause()
      const began = performance.now()
      await arena.until(() => cache.peek('k') === undefined)
      const held = performance.now() - began
      const slowest = await arena.slowest(cache)
      redis.resume()
      return `memory held for ${ms(held)} of 300 ms, slowest call ${ms(slowest)}, back after ${ms(await arena.connected(cache))}`
    },
  },
  {
    fault: 'Redis is slow',
    injected: 'CLIENT PAUSE 2000 ALL',
    promised: 'calls take the deadline at most, and then nothing until Redis is back',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const cache = await arena.open(proxy)
      const began = performance.now()
      await redis.cli('CLIENT', 'PAUSE', 2000, 'ALL')
      const slowest = await arena.slowest(cache)
      const again = await arena.slowest(cache)
      await arena.connected(cache)
      return `slowest call ${ms(slowest)}, of the next 40 ${ms(again)}, back ${ms(performance.now() - began - 2000)} after the pause`
    },
  },
  {
    fault: 'Redis loads its data',
    injected: 'a start that takes a second, LOADING all the while',
    promised: 'counts as an outage, and ends by itself',
    async check(arena) {
      const { redis, proxy } = await arena.pair({ args: ['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024'] })
      for (let i = 0; i < 100; i++) await redis.cli('SET', `filler:${i}`, 'x'.repeat(2000))
      const cache = await arena.open(proxy)
      const dump = await redis.dump()
      const restarting = redis.restart(dump)
      const slowest = await arena.slowest(cache)
      await restarting
      return `slowest call ${ms(slowest)}, back after ${ms(await arena.connected(cache))}`
    },
  },
  {
    fault: 'a script runs for ever',
    injected: 'a loop in Lua, busy-reply-threshold 50',
    promised: 'counts as an outage; nobody else\'s script is killed',
    async check(arena) {
      const { redis, proxy } = await arena.pair({ args: ['--busy-reply-threshold', '50'] })
      const cache = await arena.open(proxy)
      const busy = redis.cli('EVAL', 'while true do end', 0).catch((error: Error) => error.message)
      const slowest = await arena.slowest(cache)
      await redis.kill()
      expect(await busy).not.toMatch(/killed by user/i)
      await redis.start()
      return `slowest call ${ms(slowest)}, back after ${ms(await arena.connected(cache))}`
    },
  },
  {
    fault: 'the scripts are forgotten',
    injected: 'SCRIPT FLUSH between calls',
    promised: 'they are sent again, and nobody notices',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const cache = await arena.open(proxy, PATIENT)
      for (let i = 0; i < 10; i++) {
        await redis.cli('SCRIPT', 'FLUSH')
        expect(await cache.getOrSet(`k${i}`, () => i)).toBe(i)
        expect(await cache.invalidate({ key: `k${i}` })).toEqual({ durable: true, count: 1 })
      }
      expect(arena.errors).toEqual([])
      return 'no error'
    },
  },
  {
    fault: 'Redis loses everything, again and again',
    injected: 'FLUSHALL among 200 calls',
    promised: 'only misses',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [one, other] = [await arena.open(proxy, PATIENT), await arena.open(proxy, PATIENT)]
      let old = 0
      for (let version = 1; version <= 50; version++) {
        await Promise.all([one, other].map((cache) => cache.getOrSet('k', () => version, { tags: ['t'] })))
        if (version % 5 === 0) await redis.cli('FLUSHALL')
        await one.invalidate(version % 2 === 0 ? { key: 'k' } : { tag: 't' })
        const read = await other.get<number>('k', { memory: false })
        if (read !== undefined && read <= version) old++
      }
      expect(old).toBe(0)
      return '50 reads past memory, none old'
    },
  },
  {
    fault: 'no more clients are let in',
    injected: 'maxclients, all taken',
    promised: 'counts as an outage, and ends by itself',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      await redis.cli('CONFIG', 'SET', 'maxclients', 1)
      const cache = arena.opening(proxy)
      const slowest = await arena.slowest(cache)
      expect(cache.health().healthy).toBe(false)
      await redis.cli('CONFIG', 'SET', 'maxclients', 100)
      return `slowest call ${ms(slowest)}, connected after ${ms(await arena.connected(cache))}`
    },
  },
]
