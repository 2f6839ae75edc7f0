import { createRequire } from 'node:module'
import { afterEach, expect, it, vi } from 'vitest'
import { createCache, type Cache } from '../../../src/index.js'
import type { RedisTarget } from '../../../src/redis/clients/index.js'
import { describeWithRedis, startRedis, type RedisServer } from '../server/index.js'
import { isConnected } from '../tier/tier.js'
import { startSentinel, type Sentinel } from './sentinel.js'

const require = createRequire(import.meta.url)
const soon = { timeout: 60_000, interval: 20 }

/** A failover takes a Sentinel some ten seconds. */
const packages = process.env.TIERCEL_PROOF === '1' ? (['ioredis', 'ioredis5'] as const) : (['ioredis'] as const)

/** A Sentinel ends the connections of a server whose role changes. */
const askAnew = (server: RedisServer, ...command: readonly string[]) => server.cli(...command).catch(() => undefined)

describeWithRedis('behind a Sentinel', () => {
  const stops: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
  })

  async function start(): Promise<{ primary: RedisServer; replica: RedisServer; sentinel: Sentinel }> {
    const [primary, replica] = await Promise.all([startRedis(), startRedis()])
    stops.push(() => primary.stop(), () => replica.stop())
    await replica.follow(primary)
    const sentinel = await startSentinel('main', primary)
    stops.push(() => sentinel.stop())
    return { primary, replica, sentinel }
  }

  function open(packageName: 'ioredis' | 'ioredis5', { port }: Sentinel): Cache {
    const { Redis } = require(packageName) as { Redis: new (options: object) => RedisTarget }
    const template = new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'main', lazyConnect: true })
    const cache = createCache({ redis: template, deadline: '20s' })
    stops.push(() => cache.close())
    return cache
  }

  it.each(packages)('with %s, caches use the primary it names, and the next one after a failover, with nothing that was invalidated', async (packageName) => {
    const { primary, replica, sentinel } = await start()
    const [one, other] = [open(packageName, sentinel), open(packageName, sentinel)]
    await vi.waitUntil(() => isConnected(one) && isConnected(other), soon)
    await one.set('k', 'old')
    expect(await other.get('k')).toBe('old')
    expect(await primary.cli('EXISTS', 'tiercel:1:{k}:v')).toBe(1)

    await vi.waitUntil(async () => {
      // It learns of the replica from what the primary says, now and then.
      await sentinel.failOver().catch(() => {})
      return /role:master/.test(String(await askAnew(replica, 'INFO', 'replication')))
    }, soon)
    for (const cache of [one, other]) {
      // What goes to the one that was the primary does not get here.
      await vi.waitUntil(async () => (await cache.set('probe', 1)) && (await askAnew(replica, 'DEL', 'tiercel:1:{probe}:v')) === 1, soon)
    }
    expect(await one.get('k')).toBeUndefined()
    expect(await other.get('k')).toBeUndefined()
    await one.set('k', 'new')
    expect(await other.get('k')).toBe('new')
    expect(await one.invalidate({ key: 'k' })).toMatchObject({ durable: true, count: 1 })
    await vi.waitUntil(() => other.peek('k') === undefined, soon)
  }, 200_000)

  it('a Sentinel of node-redis is refused, and the message says what to use', () => {
    const { createSentinel } = require('redis') as { createSentinel(options: object): RedisTarget }
    const template = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
    expect(() => createCache({ redis: template })).toThrow('pass an ioredis client with sentinels')
  })
})
