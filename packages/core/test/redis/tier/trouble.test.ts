import { afterEach, describe, expect, it, vi } from 'vitest'
import { createCache, type Cache, type CacheEvents, type CacheOptions } from '../../../src/index.js'
import { RedisRefusedError } from '../../../src/errors/index.js'
import { aclRules } from '../server/acl.js'
import { describeWithRedis, startProxy, startRedis, type RedisServer } from '../server/index.js'
import { isConnected, soon } from './tier.js'

/** Long enough for a machine that is busy, and far shorter than any of the waits it is to tell from a deadline: there is none but those that never end. */
const BOUND_MS = 25_000
/** For what is to end well, however long it takes. */
const patient = { deadline: '20s', connectTimeout: '20s' } as const

const started: { stop(): Promise<void> }[] = []
const opened: Cache[] = []
const errors: CacheEvents['error'][] = []

async function start(options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const redis = await startRedis(options)
  started.push(redis)
  return redis
}

function opening(redis: string, options: CacheOptions = {}): Cache {
  const cache = createCache({ redis, deadline: 100, connectTimeout: '1s', ...options })
  cache.on('error', (error) => void errors.push(error))
  opened.push(cache)
  return cache
}

async function open(redis: string, options?: CacheOptions): Promise<Cache> {
  const cache = opening(redis, options)
  await vi.waitUntil(() => isConnected(cache), soon)
  return cache
}

/** What Redis has said so far, or else the codes of errors. Some of it is found out only by another attempt. */
const replies = () => new Set(errors.map(({ error }) => (error instanceof RedisRefusedError ? error.reply : String((error as { code?: string }).code))))

/** Without what only a busy machine has to do with: that something came too late, and connections that were replaced for it. */
const refusals = () => [...replies()].filter((reply) => !reply.startsWith('TIERCEL_'))

/** Every method once: none may fail because of Redis, and what was invalidated may not come back. */
async function useAll(cache: Cache): Promise<void> {
  let version = 0
  const load = () => `v${version}`
  const labels = { tags: ['t'], room: 'r' }
  await cache.set('set', 1, labels)
  await cache.setMany([['a', 1], ['b', 2]])
  expect(await cache.getOrSetMany(['c', 'd'], (missing) => missing.map((key) => [key, key]))).toEqual(new Map([['c', 'c'], ['d', 'd']]))
  await cache.getMany(['a', 'b', 'missing'])
  await cache.has('a')
  await cache.ttl('a')
  await cache.touch('a', '1h')
  await cache.getOrSet('late', (ctx) => (ctx.tags('late'), 1))
  for (const target of [{ key: 'k' }, { tag: 't' }, { room: 'r' }, { pattern: 'k*' }, { all: true }]) {
    expect(await cache.getOrSet('k', load, labels)).toBe(`v${version}`)
    expect(await cache.getOrSet('k', load, labels)).toBe(`v${version}`)
    version++
    expect(await cache.invalidate(target)).toHaveProperty('durable')
    expect(await cache.getOrSet('k', load, labels)).toBe(`v${version}`)
    version++
    await cache.expire(target)
    expect(await cache.getOrSet('k', load, labels)).toBe(`v${version}`)
  }
}

describeWithRedis('a Redis in trouble', () => {
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((cache) => cache.close()))
    await Promise.all(started.splice(0).map((server) => server.stop()))
    errors.length = 0
  })

  it('that is full stores nothing and forgets all the same', async () => {
    const redis = await start({ args: ['--maxmemory-policy', 'noeviction'] })
    const [one, other] = [await open(redis.url, patient), await open(redis.url, patient)]
    await one.setMany([['k', 'old'], ['l', 'old']], { tags: ['t'] })
    expect(await other.getMany(['k', 'l'])).toEqual(new Map([['k', 'old'], ['l', 'old']]))
    await redis.cli('CONFIG', 'SET', 'maxmemory', 1)
    expect(await one.invalidate({ key: 'k' })).toEqual({ durable: true, count: 1 })
    expect(await one.invalidate({ tag: 't' })).toEqual({ durable: true })
    await vi.waitUntil(() => other.peek('l') === undefined, soon)
    expect(await other.getMany(['k', 'l'])).toEqual(new Map())
    await useAll(one)
    expect(refusals()).toEqual(['oom'])
    await redis.cli('CONFIG', 'SET', 'maxmemory', 0)
    await vi.waitUntil(() => isConnected(one) && isConnected(other), soon)
    await one.set('k', 'new')
    expect(await (await open(redis.url, patient)).get('k')).toBe('new')
  })

  it('that is a replica is used by nobody, and says so', async () => {
    const primary = await start()
    const replica = await start()
    await replica.cli('REPLICAOF', '127.0.0.1', primary.port)
    const cache = opening(replica.url)
    await cache.ready()
    await useAll(cache)
    expect(cache.health()).toMatchObject({ healthy: false, redis: { status: 'memory-fallback', breaker: 'open' } })
    await vi.waitUntil(() => replies().has('readonly'), soon)
    await replica.cli('REPLICAOF', 'NO', 'ONE')
    await vi.waitUntil(() => isConnected(cache), soon)
  })

  it('that becomes a replica is used no more', async () => {
    const [redis, primary] = [await start(), await start()]
    const cache = await open(redis.url, { maxStaleness: 300 })
    await redis.cli('REPLICAOF', '127.0.0.1', primary.port)
    await vi.waitUntil(async () => {
      await cache.get('k')
      return replies().has('readonly')
    }, soon)
    await vi.waitUntil(async () => {
      await cache.get('k')
      return !isConnected(cache)
    }, soon)
    expect(cache.health()).toMatchObject({ healthy: false })
  })

  it.each([
    ['a wrong password', 'wrong-password-5e1f'],
    ['no password', ''],
  ])('that is asked with %s is used by nobody, and nobody is told a password', async (_, password) => {
    const redis = await start({ password: 'right-password-7c2a' })
    const cache = opening(redis.url.replace('right-password-7c2a', password).replace(':@', ''))
    await cache.ready()
    await useAll(cache)
    expect(cache.health()).toMatchObject({ healthy: false, redis: { breaker: 'open' } })
    await vi.waitUntil(() => replies().has('auth'), soon)
    const told = errors.map(({ error }) => `${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`).join()
    expect(told).not.toMatch(/right-password|wrong-password/)
  })

  describe('whose user may not do everything', () => {
    const needed = aclRules.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1))
    const asUser = async (redis: RedisServer, ...rules: readonly string[]) => {
      await redis.cli('ACL', 'SETUSER', 'cache', 'reset', ...aclRules, '>secret-4d1b', ...rules)
      return redis.url.replace('redis://', 'redis://cache:secret-4d1b@')
    }

    it('works with what is documented as enough, and nothing is refused', async () => {
      const redis = await start()
      const url = await asUser(redis)
      const [one, other] = [await open(url, { prefix: 'app:', ...patient }), await open(url, { prefix: 'app:', ...patient })]
      await useAll(one.namespace('one'))
      await useAll(other.namespace('other'))
      expect(refusals()).toEqual([])
      expect(await one.invalidate({ key: 'k', tag: 't', room: 'r', pattern: '*', all: true })).toMatchObject({ durable: true })
    })

    const without = async (command: string) => {
      const redis = await start()
      const cache = opening(await asUser(redis, `-${command}`), { prefix: 'app:' })
      await cache.ready()
      await useAll(cache)
      expect(JSON.stringify(errors)).not.toContain('secret-4d1b')
      // Some are asked for by a script only where there is nothing else it could do, or are not needed by all.
      await vi.waitUntil(() => isConnected(cache) || replies().has('permission'), soon)
      expect(refusals().filter((reply) => reply !== 'permission')).toEqual([])
      await redis.cli('ACL', 'SETUSER', 'cache', `+${command}`)
      await vi.waitUntil(async () => isConnected(cache) && (await cache.invalidate({ key: 'k' })).durable, soon)
    }

    it.each(needed)('serves, invalidates and says what is missing without %s', async (command) => {
      await expect(without(command)).resolves.toBeUndefined()
    })

    it.each([
      ['other keys', ['resetkeys', '~other:*']],
      ['other channels', ['resetchannels', '&other:*']],
    ])('serves, and says what is missing, when it may use %s only', async (_, rules) => {
      const redis = await start()
      const cache = opening(await asUser(redis, ...rules), { prefix: 'app:' })
      await cache.ready()
      await useAll(cache)
      expect(isConnected(cache)).toBe(false)
      await vi.waitUntil(() => replies().has('permission'), soon)
    })
  })

  describe('that is away from the start', () => {
    it('costs calls no more than a deadline, and is used when it comes', async () => {
      const redis = await start()
      await redis.kill()
      const cache = opening(redis.url)
      await cache.ready()
      await useAll(cache)
      expect(cache.health()).toMatchObject({ healthy: false, redis: { status: 'memory-fallback', breaker: 'open' } })
      await redis.start()
      await vi.waitUntil(() => isConnected(cache), soon)
      const other = await open(redis.url, patient)
      await vi.waitUntil(async () => (await cache.set('k', 1)) && (await other.get('k')) === 1, soon)
    })

    it('costs calls no more than a deadline when it accepts connections and answers nothing', async () => {
      const redis = await start()
      redis.pause()
      const cache = opening(redis.url)
      await useAll(cache)
      expect(isConnected(cache)).toBe(false)
      redis.resume()
      await vi.waitUntil(() => isConnected(cache), soon)
    })

    it('costs calls no more than a deadline when its name does not exist', async () => {
      const cache = opening('redis://nowhere.invalid:6379')
      await useAll(cache)
      expect(cache.health()).toMatchObject({ healthy: false })
      await vi.waitUntil(() => replies().has('TIERCEL_REDIS_UNAVAILABLE'), soon)
    })
  })

  describe('that goes while it is used', () => {
    /** Between two calls of each, so that Redis can be told of what it missed faster than there is more of it. */
    const PACE_MS = 10

    /** Uses caches all the time until it is told to stop. Each key is a counter that only grows: a read that gives less than it had when it was invalidated is one too many. */
    function keepUsing(caches: readonly Cache[], paceMs = PACE_MS) {
      const source = new Map<string, number>()
      const broken: string[] = []
      let calls = 0
      const end = { isReached: false }
      const use = async (cache: Cache, key: string) => {
        const known = source.get(key) ?? 0
        const found = await cache.getOrSet(key, () => source.get(key) ?? 0, { tags: [key], ttl: '1m' })
        if (found < known) broken.push(`${key} gave ${found} though it was invalidated at ${known}`)
        source.set(key, known + 1)
        await cache.invalidate(calls % 2 === 0 ? { key } : { tag: key })
        calls++
      }
      const worker = async (cache: Cache, key: string) => {
        while (!end.isReached) {
          await use(cache, key)
          await (paceMs === 0 ? new Promise((resolve) => setImmediate(resolve)) : new Promise((resolve) => setTimeout(resolve, paceMs)))
        }
      }
      // Every key is used through one cache only: that one owes it at once.
      const workers = Promise.all(caches.flatMap((cache, c) => ['a', 'b', 'c'].map((key) => worker(cache, `${key}:${c}`))))
      return {
        broken,
        calls: () => calls,
        async stop() {
          end.isReached = true
          await workers
        },
      }
    }

    const happenings: Readonly<Record<string, (redis: RedisServer) => Promise<unknown>>> = {
      'is restarted empty': (redis) => redis.restart(),
      'is restarted with what it had': (redis) => redis.restart('everything'),
      'is restarted from an old dump': async (redis) => {
        await redis.kill()
        await redis.start()
      },
      'is stopped for a while': async (redis) => {
        redis.pause()
        await new Promise((resolve) => setTimeout(resolve, 600))
        redis.resume()
      },
      'forgets its scripts': (redis) => redis.cli('SCRIPT', 'FLUSH'),
      'is flushed': (redis) => redis.cli('FLUSHALL'),
      'cuts off those who listen': (redis) => redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub'),
      'cuts off those who ask': (redis) => redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
      'lets nobody write for a while': (redis) => redis.cli('CLIENT', 'PAUSE', 400, 'WRITE'),
      'is busy with a script of others': (redis) => redis.cli('EVAL', 'local s = redis.call("TIME") repeat local n = redis.call("TIME") until (n[1] - s[1]) * 1000 + (n[2] - s[2]) / 1000 > 400', 0),
    }

    it.each(Object.keys(happenings))('and %s: no call fails, nothing old is served, and all is as before afterwards', async (name) => {
      const redis = await start()
      const caches = [await open(redis.url), await open(redis.url)]
      await caches[0]?.set('from before', 1)
      await redis.cli('SAVE')
      const using = keepUsing(caches)
      try {
        await vi.waitUntil(() => using.calls() > 50, soon)
        await happenings[name]?.(redis)
        const after = using.calls()
        await vi.waitUntil(() => using.calls() > after + 50, soon)
        await vi.waitUntil(() => caches.every((cache) => isConnected(cache) && cache.health().redis?.journal === 0), soon)
      } finally {
        await using.stop()
      }
      expect(using.broken).toEqual([])
      // What one forgets the other hears of again.
      const [one, other] = caches as [Cache, Cache]
      await vi.waitUntil(async () => {
        await one.set('k', 'old')
        return (await other.get('k')) === 'old'
      }, soon)
      await vi.waitUntil(async () => (await one.invalidate({ key: 'k' })).durable, soon)
      await vi.waitUntil(() => other.peek('k') === undefined, soon)
    })

    it('and comes back is used again though there is no end of invalidations', async () => {
      const redis = await start()
      const cache = await open(redis.url)
      const using = keepUsing([cache], 0)
      try {
        await redis.restart()
        await vi.waitUntil(() => isConnected(cache), soon)
        expect(using.broken).toEqual([])
      } finally {
        await using.stop()
      }
    })

    it('and comes back is used again, and has been told everything', async () => {
      const redis = await start()
      const cache = await open(redis.url)
      await redis.kill()
      await cache.invalidate({ key: 'k' })
      expect(isConnected(cache)).toBe(false)
      // By then the pauses between attempts are as long as they get.
      await vi.waitUntil(() => errors.length > 0, soon)
      await new Promise((resolve) => setTimeout(resolve, 2500))
      await redis.start()
      await vi.waitUntil(() => isConnected(cache), soon)
      expect(cache.health().redis?.journal).toBe(0)
    })
  })

  describe('does not hold up the end of a cache', () => {
    const timeOfClosing = async (cache: Cache) => {
      const began = performance.now()
      await cache.close()
      return performance.now() - began
    }

    it('when it was never there', async () => {
      expect(await timeOfClosing(opening('redis://127.0.0.1:1'))).toBeLessThan(BOUND_MS)
      const late = opening('redis://127.0.0.1:1')
      await late.getOrSet('k', () => 1)
      expect(await timeOfClosing(late)).toBeLessThan(BOUND_MS)
    })

    it('when it answers nothing, with calls under way', async () => {
      const redis = await start()
      const cache = await open(redis.url)
      redis.pause()
      const calls = Promise.allSettled([cache.getOrSet('k', () => 1), cache.set('l', 1), cache.invalidate({ all: true }), cache.invalidatePattern('*')])
      expect(await timeOfClosing(cache)).toBeLessThan(BOUND_MS)
      await calls
    })

    it('when connections lead nowhere', async () => {
      const redis = await start()
      const proxy = await startProxy(redis.port)
      started.push(proxy)
      const cache = await open(proxy.url)
      proxy.blackhole()
      await cache.getOrSet('k', () => 1)
      expect(await timeOfClosing(cache)).toBeLessThan(BOUND_MS)
    })
  })
})
