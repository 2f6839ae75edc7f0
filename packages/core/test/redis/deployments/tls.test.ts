import { createRequire } from 'node:module'
import { afterEach, expect, it, vi } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../../src/index.js'
import type { RedisTarget } from '../../../src/redis/clients/index.js'
import { describeWithRedis, startRedis, type RedisServer } from '../server/index.js'
import { isConnected, soon } from '../tier/tier.js'

const require = createRequire(import.meta.url)

interface Way {
  readonly name: string
  target(server: RedisServer, ca: string): RedisTarget
}

const nodeRedis = (packageName: string, url: string, ca: string) =>
  (require(packageName) as { createClient(options: object): RedisTarget }).createClient({ url, socket: { tls: true, ca } })
const ioredis = (packageName: string, url: string, ca: string) => new (require(packageName) as { Redis: new (url: string, options: object) => RedisTarget }).Redis(url, { tls: { ca }, lazyConnect: true })

const ways: readonly Way[] = [
  { name: 'options', target: ({ port }, ca) => ({ host: '127.0.0.1', port, password: 'secret', tls: { ca } }) },
  { name: 'a URL and options', target: ({ url }, ca) => ({ url, tls: { ca } }) },
  ...['redis', 'redis5'].map((name) => ({ name: `a client of ${name}`, target: ({ url }: RedisServer, ca: string) => nodeRedis(name, url, ca) })),
  ...['ioredis', 'ioredis5'].map((name) => ({ name: `a client of ${name}`, target: ({ url }: RedisServer, ca: string) => ioredis(name, url, ca) })),
]

describeWithRedis('over TLS', () => {
  const stops: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
  })

  const opening = (redis: RedisTarget, deadline: CacheOptions['deadline'] = '20s'): Cache => {
    const cache = createCache({ redis, deadline })
    stops.push(() => cache.close())
    return cache
  }
  const start = async (): Promise<RedisServer> => {
    const server = await startRedis({ tls: true, password: 'secret' })
    stops.push(() => server.stop())
    return server
  }

  it.each(ways)('caches share values and hear of invalidations, given $name', async ({ target }) => {
    const server = await start()
    const { ca = '' } = server.certificates ?? {}
    const [one, other] = [opening(target(server, ca)), opening(target(server, ca))]
    await vi.waitUntil(() => isConnected(one) && isConnected(other), soon)
    await one.set('k', 'v', { tags: ['t'] })
    expect(await other.get('k')).toBe('v')
    expect(await one.invalidate({ tag: 't' })).toEqual({ durable: true })
    await vi.waitUntil(() => other.peek('k') === undefined, soon)
    expect(await other.get('k')).toBeUndefined()
  })

  it('a certificate that nobody has vouched for is refused, and nothing goes on without TLS', async () => {
    const server = await start()
    const cache = opening({ url: server.url }, '1s')
    await cache.ready()
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    expect(cache.getConnectionStatus()).toBe('memory-fallback')
    expect(await server.cli('DBSIZE')).toBe(0)
  })
})
