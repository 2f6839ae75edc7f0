import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineScript, linkOf, openLink, watchPeers, type LinkOptions, type OwnLink, type PeerChange } from '../../../src/connection.js'
import { RedisRefusedError, RedisUnavailableError } from '../../../src/errors/index.js'
import { createCache, type Cache } from '../../../src/index.js'
import { describeWithRedis, startRedis, type RedisServer } from '../server/index.js'
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
  const link = opening(url, { deadlineMs: 10_000, ...options })
  await link.ready()
  return link
}

async function openCache(url: string): Promise<Cache> {
  const cache = createCache({ redis: url, deadline: '10s' })
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
    expect(String(await link.send(['GET', 'told'], { route: 'told' }))).toBe('yes')
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
    const none = { keys: [], tags: [], rooms: [], pattern: undefined, all: false, mode: 'invalidate' }
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

describe('beside a cache in memory', () => {
  it('there is no connection', async () => {
    const cache = createCache({ redis: false })
    expect(linkOf(cache)).toBeUndefined()
    await cache.close()
  })
})
