import { expect } from 'vitest'
import { makeCertificates } from '../../../src/testing/index.js'
import { RedisRefusedError } from '../../../src/errors/index.js'
import { ms, PATIENT, type Arena } from '../arena.js'
import type { Row } from '../row.js'

const refusals = (arena: Arena) => new Set(arena.errors.map((error) => (error instanceof RedisRefusedError ? error.reply : undefined)))

/** A server that answers, and says no. */
export const refusalRows: readonly Row[] = [
  {
    fault: 'the password is wrong',
    injected: 'requirepass, another one in the URL',
    promised: 'memory only, an error says why, and no password is told',
    async check(arena) {
      const redis = await arena.redis({ password: 'right-5e1f' })
      const cache = arena.opening({ url: redis.url.replace('right-5e1f', 'wrong-7c2a') })
      const slowest = await arena.slowest(cache)
      await arena.until(() => arena.errors.length > 0)
      expect(arena.told).not.toMatch(/right-5e1f|wrong-7c2a/)
      return `slowest call ${ms(slowest)}, told: ${(arena.errors[0] as { code: string }).code}`
    },
  },
  {
    fault: 'the password is changed while it runs',
    injected: 'CONFIG SET requirepass, CLIENT KILL, and back',
    promised: 'memory only until it is accepted again, and no password is told',
    async check(arena) {
      const redis = await arena.redis({ password: 'first-5e1f' })
      const cache = await arena.open(redis)
      await redis.setPassword('second-7c2a')
      await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await arena.until(async () => {
        await cache.getOrSet('k', () => 1)
        return !cache.health().healthy
      })
      const slowest = await arena.slowest(cache)
      expect(arena.told).not.toMatch(/first-5e1f|second-7c2a/)
      await redis.setPassword('first-5e1f')
      return `slowest call ${ms(slowest)}, back after ${ms(await arena.connected(cache))}`
    },
  },
  {
    fault: 'the user may not do everything',
    injected: 'an ACL without scripts, and one without the channel',
    promised: 'memory only, and an error says that it is a permission',
    async check(arena) {
      const redis = await arena.redis()
      const noScripts = await redis.addUser('noscripts', 'p', ['~*', '&*', '+@all', '-@scripting'])
      const noChannel = await redis.addUser('nochannel', 'p', ['~*', 'resetchannels', '+@all'])
      for (const url of [noScripts, noChannel]) {
        arena.errors.length = 0
        const cache = arena.opening({ url })
        await arena.slowest(cache)
        expect(cache.health().healthy).toBe(false)
        await arena.until(() => refusals(arena).has('permission'))
      }
      return 'both told: permission'
    },
  },
  {
    fault: 'the server becomes a replica',
    injected: 'REPLICAOF another, later NO ONE',
    promised: 'it is used no more, and again when it takes writes',
    async check(arena) {
      const [redis, primary] = [await arena.redis(), await arena.redis()]
      const cache = await arena.open(redis, { maxStaleness: 300 })
      await redis.follow(primary)
      await arena.until(async () => {
        await cache.get('k')
        return !cache.health().healthy
      })
      const slowest = await arena.slowest(cache)
      await redis.promote()
      return `slowest call ${ms(slowest)}, back after ${ms(await arena.connected(cache))}`
    },
  },
  {
    fault: 'the primary has lost its replicas',
    injected: 'min-replicas-to-write 1, and the replica killed',
    promised: 'it is used no more, as another may be the primary by now, and again when it has one',
    async check(arena) {
      const [redis, replica] = [await arena.redis({ args: ['--min-replicas-to-write', '1'] }), await arena.redis()]
      await replica.follow(redis)
      const [one, other] = [await arena.open(redis, { maxStaleness: 300 }), await arena.open(redis, { maxStaleness: 300 })]
      await arena.share(one, other, 'k', 'old')
      await replica.kill()
      await arena.until(async () => {
        await Promise.all([one, other].map((cache) => cache.getOrSet('k', () => 'new')))
        return !one.health().healthy && !other.health().healthy
      })
      // Nothing confirms what they have.
      await arena.until(() => one.peek('k') !== 'old' && other.peek('k') !== 'old')
      const slowest = await arena.slowest(one)
      await replica.start()
      await replica.follow(redis)
      return `slowest call ${ms(slowest)}, back after ${ms(await arena.connected(one, other))}`
    },
  },
  {
    fault: 'Redis is full',
    injected: 'maxmemory 1, noeviction',
    promised: 'nothing is stored, no call fails, invalidations are still durable',
    async check(arena) {
      const redis = await arena.redis()
      const cache = await arena.open(redis, PATIENT)
      await cache.setMany([['k', 1], ['l', 1]], { tags: ['t'] })
      await redis.fillUp()
      expect(await cache.invalidate({ key: 'k' })).toEqual({ durable: true, count: 1 })
      expect(await cache.invalidate({ tag: 't' })).toHaveProperty('durable', true)
      const slowest = await arena.slowest(cache)
      await redis.drain()
      await arena.connected(cache)
      expect(await cache.getMany(['k', 'l'], { memory: false })).toEqual(new Map())
      return `durable, slowest call ${ms(slowest)}`
    },
  },
  {
    fault: 'the certificate is over, or of another host',
    injected: 'TLS with such certificates',
    promised: 'memory only: it neither accepts them nor goes on without TLS',
    async check(arena) {
      const yesterday = new Date(Date.now() - 86_400_000)
      for (const certificates of [await makeCertificates({ validUntil: yesterday }), await makeCertificates({ hosts: ['elsewhere.test'] })]) {
        const redis = await arena.redis({ tls: certificates })
        const cache = arena.opening({ url: redis.url })
        await arena.slowest(cache)
        expect(cache.health().healthy).toBe(false)
        expect(await redis.cli('KEYS', '*')).toEqual([])
      }
      return 'both refused'
    },
  },
]
