import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  defineScript,
  evictFromRedis,
  hasHeardAll,
  keepHearing,
  linkOf,
  lookInRedis,
  openLink,
  redisTimeOf,
  setLater,
  watchPeers,
  type Deferral,
  type LinkOptions,
  type OwnLink,
  type PeerChange,
} from '../../../src/connection.js'
import { RedisRefusedError, RedisUnavailableError } from '../../../src/errors/index.js'
import { createCache, type Cache, type CacheOptions } from '../../../src/index.js'
import { describeWithRedis, startProxy, startRedis, type RedisServer } from '../server/index.js'
import { executedDuring } from './monitor.js'
import { soon } from './tier.js'

const links: OwnLink[] = []
const caches: Cache[] = []
const servers: RedisServer[] = []

afterEach(async () => {
  await Promise.all([...links.splice(0).map((link) => link.close()), ...caches.splice(0).map((cache) => cache.close())])
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function start(): Promise<RedisServer> {
  const server = await startRedis()
  servers.push(server)
  return server
}

function opening(url: string, options?: LinkOptions): OwnLink {
  const link = openLink(url, options)
  links.push(link)
  return link
}

/** However long the first connection takes. */
async function open(url: string, options?: LinkOptions): Promise<OwnLink> {
  const link = opening(url, { deadlineMs: 20_000, ...options })
  await link.ready()
  return link
}

async function openCache(url: string, options: CacheOptions = {}): Promise<Cache> {
  const cache = createCache({ redis: url, deadline: '20s', maxStaleness: '1m', ...options })
  caches.push(cache)
  await cache.ready()
  return cache
}

describeWithRedis('a link to Redis', () => {
  it('sends commands and runs scripts', async () => {
    const link = await open((await start()).url)
    expect(await link.ready()).toBe(true)
    expect(await link.send(['SET', 'k', 'v'], { route: 'k' })).toBe('OK')
    expect(String(await link.run(defineScript("return redis.call('GET', KEYS[1])"), ['k'], []))).toBe('v')
  })

  it('hears what is published, and again after the connection was cut', async () => {
    const redis = await start()
    const link = await open(redis.url)
    const heard: string[] = []
    const onSubscribed = vi.fn()
    await link.subscribe('news', { onMessage: (message) => heard.push(String(message)), onSubscribed, onLost: () => {} })
    await redis.cli('PUBLISH', 'news', 'one')
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await vi.waitUntil(() => onSubscribed.mock.calls.length === 2, soon)
    await redis.cli('PUBLISH', 'news', 'two')
    await vi.waitUntil(() => heard.length === 2, soon)
    expect(heard).toEqual(['one', 'two'])
  })

  it('refuses at once while Redis is away, and is up by itself when it is back', async () => {
    const redis = await start()
    const states: string[] = []
    const link = await open(redis.url, { onState: (state) => states.push(state) })
    await redis.kill()
    await expect(link.send(['GET', 'k'], { route: 'k' })).rejects.toThrow(RedisUnavailableError)
    await vi.waitUntil(() => link.state === 'outage', soon)
    await redis.start()
    await vi.waitUntil(() => link.state === 'up', soon)
    expect(await link.send(['GET', 'k'], { route: 'k' })).toBeNull()
    expect(states).toEqual(['up', 'outage', 'up'])
  })

  it('is not up before what has to be told to Redis was told', async () => {
    const redis = await start()
    let fails = true
    const link = opening(redis.url, {
      recover: async (connection) => {
        if (fails) throw new Error('not yet')
        await connection.send(['SET', 'told', 'yes'], { route: 'told', timeoutMs: 1000 })
      },
    })
    expect(await link.ready()).toBe(false)
    expect(link.state).toBe('outage')
    fails = false
    await vi.waitUntil(() => link.state === 'up', soon)
    expect(await redis.cli('GET', 'told')).toBe('yes')
  })

  it('does not use a server that is a replica', async () => {
    const [primary, replica] = [await start(), await start()]
    await replica.cli('REPLICAOF', '127.0.0.1', primary.port)
    const errors: unknown[] = []
    const link = opening(replica.url, { onError: (error) => errors.push(error) })
    expect(await link.ready()).toBe(false)
    await vi.waitUntil(() => errors.some((error) => error instanceof RedisRefusedError && error.reply === 'readonly'), soon)
    await replica.cli('REPLICAOF', 'NO', 'ONE')
    await vi.waitUntil(() => link.state === 'up', soon)
  })

  it('goes on after a command that is refused, and is closed for good', async () => {
    const link = await open((await start()).url)
    await link.send(['SET', 'k', 'v'], { route: 'k' })
    for (let i = 0; i < 5; i++) await expect(link.send(['LPUSH', 'k', 'v'], { route: 'k' })).rejects.toMatchObject({ reply: 'wrongtype' })
    expect(link.state).toBe('up')
    await link.close()
    await link.close()
    await expect(link.send(['GET', 'k'], { route: 'k' })).rejects.toThrow(RedisUnavailableError)
  })
})

describeWithRedis('beside a cache', () => {
  it('its connection can be used, and closes with it', async () => {
    const cache = await openCache((await start()).url)
    const link = linkOf(cache.namespace('users'))
    expect(await link?.send(['PING'], { route: '' })).toBe('PONG')
    await cache.close()
    expect(link?.state).toBe('closed')
  })

  it('what others change in a namespace, below it and above it is told', async () => {
    const { url } = await start()
    const [one, other] = [await openCache(url), await openCache(url)]
    const changes: PeerChange[] = []
    const stop = watchPeers(one.namespace('a'), { onChange: (change) => changes.push(change), onFlush: () => {} })
    await other.set('k', 'v')
    await other.namespace('a').set('k', 'v')
    await other.namespace('a:b').invalidate({ tag: 't', room: 'r' })
    await other.namespace('a').invalidate({ pattern: 'x*' })
    await other.invalidate({ tag: 't' })
    await other.expire({ all: true })
    await one.namespace('a').invalidate({ key: 'own' })
    const none = { keys: [], tags: [], rooms: [], pattern: undefined, note: undefined, all: false, mode: 'invalidate' }
    const expected = [
      { ...none, namespace: 'tiercel:a', keys: ['k'] },
      { ...none, namespace: 'tiercel:a:b', tags: ['t'], rooms: ['r'] },
      { ...none, namespace: 'tiercel:a', pattern: 'x*' },
      { ...none, namespace: 'tiercel', mode: 'expire', all: true },
    ]
    await vi.waitUntil(() => changes.some(({ all }) => all), soon)
    // A sweep is told before and after.
    expect(changes.filter((change, i) => JSON.stringify(change) !== JSON.stringify(changes[i - 1]))).toEqual(expected)
    stop()
    await other.namespace('a').set('k', 'v')
    await other.close()
    expect(changes.at(-1)).toEqual(expected.at(-1))
  })

  it('that something may have been missed is told', async () => {
    const redis = await start()
    const cache = await openCache(redis.url)
    const onFlush = vi.fn()
    watchPeers(cache, { onChange: () => {}, onFlush })
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await vi.waitFor(() => expect(onFlush).toHaveBeenCalled(), soon)
  })
})

describeWithRedis('a look into Redis', () => {
  it('finds what is there, brings it into memory, and counts a hit; what is not there it does not count', async () => {
    const { url } = await start()
    const [one, other] = [await openCache(url), await openCache(url)]
    await one.set('k', { v: 1 }, { tags: ['t'] })
    // What is told of it during the look would keep it out of memory.
    expect(await hasHeardAll(other)).toBe(true)
    expect(await lookInRedis(other, 'k', { tags: ['t'] })).toEqual({ value: { v: 1 }, hasAnswered: true })
    expect(other.peek('k')).toEqual({ v: 1 })
    expect(await lookInRedis(other, 'another', {})).toEqual({ value: undefined, hasAnswered: true })
    expect(other.stats()).toMatchObject({ redis: { hits: 1 }, misses: 0 })
    await one.invalidate({ tag: 't' })
    expect(await lookInRedis(other, 'k', { tags: ['t'] })).toEqual({ value: undefined, hasAnswered: true })
  })

  it('tells when it was not answered', async () => {
    const redis = await start()
    const cache = await openCache(redis.url, { deadline: '100ms' })
    redis.pause()
    expect(await lookInRedis(cache, 'k', {})).toEqual({ value: undefined, hasAnswered: false })
    redis.resume()
    expect(await lookInRedis(createCache({ redis: false }), 'k', {})).toEqual({ value: undefined, hasAnswered: false })
  })
})

describeWithRedis('a value that was made some time before it is stored', () => {
  const holding: Deferral = { holds: () => true }

  /** A cache whose messages and commands can be held up, and one that is not. */
  async function held() {
    const redis = await start()
    const proxy = await startProxy(redis.port)
    const [late, other] = [await openCache(proxy.url), await openCache(redis.url)]
    return { redis, proxy, late, other, end: () => proxy.stop() }
  }

  it('is in Redis and not in memory, and others are told with a note', async () => {
    const { url } = await start()
    const [one, other] = [await openCache(url), await openCache(url)]
    const changes: PeerChange[] = []
    watchPeers(other, { onChange: (change) => changes.push(change), onFlush: () => {} })
    expect(await setLater(one, 'k', { v: 1 }, { ttl: '1m', tags: ['t'] }, { ...holding, note: 'a "note"' })).toBe(true)
    expect(one.peek('k')).toBeUndefined()
    expect(await other.get('k')).toEqual({ v: 1 })
    await vi.waitUntil(() => changes.length === 1, soon)
    expect(changes[0]).toMatchObject({ namespace: 'tiercel', keys: ['k'], note: 'a "note"', pattern: undefined })
    await other.invalidate({ tag: 't' })
    expect(await one.get('k')).toBeUndefined()
  })

  it('is not stored when it does not hold, and takes nobody’s place', async () => {
    const { url } = await start()
    const cache = await openCache(url)
    expect(await setLater(cache, 'k', 1, {}, { holds: () => false })).toBe(false)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', () => 2)).toBe(2)
  })

  it('is asked whether it holds when everything from before has been heard', async () => {
    const { redis, proxy, late, other, end } = await held()
    let holds = true
    watchPeers(late, { onChange: ({ all }) => void (holds &&= !all), onFlush: () => {} })
    // The server knows the scripts then.
    await setLater(late, 'another', 1, {}, holding)
    proxy.pause('down')
    await other.invalidate({ all: true })
    const storing = setLater(late, 'k', 'from before', {}, { holds: () => holds })
    await vi.waitUntil(async () => (await redis.cli('EXISTS', 'tiercel:1:{k}:l')) === 1, soon)
    // What it is answered may arrive before what it is told.
    await proxy.heal()
    expect(await storing).toBe(false)
    expect(await other.get('k')).toBeUndefined()
    await end()
  })

  it('with a guard is stored in one step, as long as the guard and the tokens are what they were', async () => {
    const redis = await start()
    const [one, other] = [await openCache(redis.url), await openCache(redis.url)]
    await redis.cli('SET', 'guard', '1')
    const guarded: Deferral = { ...holding, guard: { key: 'guard', value: '1' } }
    const stepsOf = async (work: () => Promise<unknown>) => {
      const executed = await executedDuring(redis, work)
      return executed.filter(({ from, command }) => from !== 'lua' && command.some((word) => word.endsWith('}:l'))).length
    }
    const later = (value: number, deferral: Deferral) => () => setLater(one, 'k', value, { tags: ['t'] }, deferral)
    // So that the server knows the scripts.
    await setLater(one, 'other', 1, { tags: ['other'] }, guarded)
    await setLater(one, 'other', 1, { tags: ['other'] }, guarded)
    // What the tokens are has to be found out first; a lease and a commit are two steps.
    expect(await stepsOf(later(1, guarded))).toBe(2)
    expect(await stepsOf(later(2, guarded))).toBe(1)
    expect(await other.get('k')).toBe(2)
    expect(await stepsOf(later(3, { ...holding, guard: { key: 'guard', value: 'another' } }))).toBe(3)
    expect(await other.get('k')).toBe(3)
    await other.invalidate({ tag: 't' })
    expect(await stepsOf(later(4, guarded))).toBe(3)
    expect(await other.get('k')).toBe(4)
    expect(await setLater(one, 'k', 5, { tags: ['t'] }, { ...guarded, holds: () => false })).toBe(false)
    expect(await one.get('k', { memory: false })).toBeUndefined()
  })

  it('in one step takes the place of what somebody is loading', async () => {
    const redis = await start()
    const [one, other] = [await openCache(redis.url), await openCache(redis.url)]
    await redis.cli('SET', 'guard', '1')
    const guarded: Deferral = { ...holding, guard: { key: 'guard', value: '1' } }
    await setLater(one, 'first', 1, {}, guarded)
    let end: (value: string) => void = () => {}
    const loading = other.getOrSet('k', () => new Promise<string>((resolve) => (end = resolve)))
    await vi.waitUntil(async () => (await redis.cli('EXISTS', 'tiercel:1:{k}:l')) === 1, soon)
    expect(await setLater(one, 'k', 'set', {}, guarded)).toBe(true)
    end('loaded')
    expect(await loading).toBe('loaded')
    expect(await one.get('k')).toBe('set')
  })

  it('is not stored while Redis is away, and says nothing of it', async () => {
    const redis = await start()
    const cache = await openCache(redis.url)
    await redis.kill()
    expect(await setLater(cache, 'k', 1, {}, holding)).toBe(false)
    expect(linkOf(cache)?.state).not.toBe('up')
    await redis.start()
  })
})

describeWithRedis('what else there is beside a cache', () => {
  it('gives the room of entries back without a word: who has them in memory goes on with them', async () => {
    const redis = await start()
    const [one, other] = [await openCache(redis.url), await openCache(redis.url)]
    const onChange = vi.fn()
    watchPeers(other, { onChange, onFlush: () => {} })
    await one.namespace('n').setMany([['a', 1], ['b', 2]])
    await vi.waitUntil(() => onChange.mock.calls.length === 1, soon)
    await other.namespace('n').getMany(['a', 'b'])
    await evictFromRedis(one.namespace('n'), ['a', 'not there'])
    await evictFromRedis(one.namespace('n'), [])
    expect(await redis.cli('EXISTS', 'tiercel:n:1:{a}:v')).toBe(0)
    expect(await redis.cli('EXISTS', 'tiercel:n:1:{b}:v')).toBe(1)
    expect(other.namespace('n').peek('a')).toBe(1)
    await redis.kill()
    expect(await evictFromRedis(one, ['a'])).toBeUndefined()
    await redis.start()
  })

  it('tells when everything that was changed until now has been heard', async () => {
    const redis = await start()
    const proxy = await startProxy(redis.port)
    const [late, other] = [await openCache(proxy.url), await openCache(redis.url)]
    const heard: string[] = []
    watchPeers(late, { onChange: ({ keys }) => heard.push(...keys), onFlush: () => {} })
    expect(await hasHeardAll(late)).toBe(true)
    proxy.pause('down')
    await other.set('k', 1)
    let isOver = false
    const hearing = hasHeardAll(late).then((hasHeard) => {
      isOver = true
      return { hasHeard, heard: [...heard] }
    })
    await other.get('k')
    expect(isOver).toBe(false)
    await proxy.heal()
    expect(await hearing).toEqual({ hasHeard: true, heard: ['k'] })
    await redis.kill()
    expect(await hasHeardAll(late)).toBe(false)
    expect(await hasHeardAll(await openCache('', { redis: false }))).toBe(true)
    await redis.start()
    await late.close()
    await proxy.stop()
  })

  it('tells the time of Redis', async () => {
    const redis = await start()
    const cache = await openCache(redis.url)
    const [seconds, micros] = ((await redis.cli('TIME')) as string[]).map(Number) as [number, number]
    expect(Math.abs(redisTimeOf(cache) - (seconds * 1000 + micros / 1000))).toBeLessThan(10_000)
    const inMemory = await openCache('', { redis: false })
    expect(Math.abs(redisTimeOf(inMemory) - Date.now())).toBeLessThan(10_000)
    keepHearing(inMemory)
  })

  it('confirms that nothing is missed for as long as somebody relies on it', async () => {
    const redis = await start()
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      // A third of this is how often it is confirmed.
      const cache = await openCache(redis.url, { maxStaleness: '60ms' })
      for (let i = 0; i < 8; i++) {
        const before = await countOf(redis)
        keepHearing(cache)
        vi.advanceTimersByTime(3000)
        await vi.waitUntil(async () => (await countOf(redis)) > before + 1, soon)
      }
      expect(cache.getConnectionStatus()).toBe('connected')
    } finally {
      vi.useRealTimers()
    }
  })
})

/** How many scripts a server has run. Of a cache that nobody uses these are heartbeats. */
async function countOf(redis: RedisServer): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await redis.cli('INFO', 'commandstats')))?.[1] ?? 0)
}

describe('beside a cache in memory', () => {
  it('there is no connection', async () => {
    const cache = createCache({ redis: false })
    expect(linkOf(cache)).toBeUndefined()
    await cache.close()
  })
})
