// Part of the tests that use it, so it expects.
/* oxlint-disable vitest/no-standalone-expect */
import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import { expect, vi } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.js'
import type { RedisTarget } from '../../src/redis/clients/index.js'
import { template, type PackageName } from '../redis/clients/variants.js'
import { Stopwatch } from './stopwatch.js'
import { startCluster, startProxy, startRedis, type FaultProxy, type RedisCluster, type RedisServer } from '../redis/server/index.js'

const require = createRequire(import.meta.url)

/** What Redis may add to a call here. */
const DEADLINE_MS = 100
/** For what is to end well, however long a busy machine takes for it. */
export const PATIENT = { deadline: '20s', connectTimeout: '20s' } as const
/** No fault may hold a call up for so long; it is generous, for machines that do much else. What a call really took is in the table. */
const HANGS_MS = 8000
const soon = { timeout: 30_000, interval: 5 }

export interface Stoppable {
  stop(): Promise<void>
}

/** One Redis, a proxy before it, and caches that reach it through the proxy with one kind of client. */
export class Arena {
  readonly errors: unknown[] = []
  readonly #packageName: PackageName
  readonly #started: Stoppable[] = []
  readonly #caches: Cache[] = []

  constructor(packageName: PackageName) {
    this.#packageName = packageName
  }

  async redis(options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
    return this.#stopping(await startRedis(options))
  }

  async proxy(redis: RedisServer): Promise<FaultProxy> {
    return this.#stopping(await startProxy(redis))
  }

  async cluster(options: Parameters<typeof startCluster>[0]): Promise<RedisCluster> {
    return this.#stopping(await startCluster(options))
  }

  async pair(options?: Parameters<typeof startRedis>[0]): Promise<{ redis: RedisServer; proxy: FaultProxy }> {
    const redis = await this.redis(options)
    return { redis, proxy: await this.proxy(redis) }
  }

  /** Whether Redis can be reached or not. */
  opening({ url }: { readonly url: string }, options: CacheOptions = {}): Cache {
    return this.#keep(createCache({ redis: template(this.#packageName, url), deadline: DEADLINE_MS, connectTimeout: '1s', ...options }))
  }

  async open(target: { readonly url: string }, options?: CacheOptions): Promise<Cache> {
    const cache = this.opening(target, options)
    await this.connected(cache)
    return cache
  }

  async openInCluster({ urls }: RedisCluster, options: CacheOptions = {}): Promise<Cache> {
    const cache = this.#keep(createCache({ redis: clusterTemplate(this.#packageName, urls), deadline: DEADLINE_MS, connectTimeout: '1s', ...options }))
    await this.connected(cache)
    return cache
  }

  #keep(cache: Cache): Cache {
    cache.on('error', ({ error }) => void this.errors.push(error))
    this.#caches.push(cache)
    return cache
  }

  /** Waits until it reaches Redis and has told it everything; resolves to how long that took. */
  async connected(...caches: readonly Cache[]): Promise<number> {
    const began = performance.now()
    await this.until(() => caches.every((cache) => cache.health().healthy && cache.health().redis?.journal === 0))
    return performance.now() - began
  }

  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    await vi.waitUntil(isSo, soon)
  }

  /** Has one set a value until both have it: a call may come to nothing on a busy machine. */
  async share(one: Cache, other: Cache, key: string, value: string): Promise<void> {
    await this.until(async () => (await one.set(key, value)) && (await other.get(key)) === value)
  }

  /** Many calls of every kind, each of which must end well and in time. Resolves to how long the slowest took. */
  async slowest(cache: Cache, calls = 40): Promise<number> {
    const times: number[] = []
    const watch = new Stopwatch()
    const timed = async <T>(call: () => Promise<T>): Promise<T> => {
      const ended: T[] = []
      times.push(await watch.time(async () => void ended.push(await call())))
      return ended[0] as T
    }
    for (let i = 0; i < calls; i++) {
      const key = `slowest:${i}`
      expect(await timed(() => cache.getOrSet(key, () => i, { tags: ['slowest'] }))).toBe(i)
      if (i % 5 === 0) await timed(() => cache.set(key, i))
      if (i % 5 === 1) expect(await timed(() => cache.invalidate({ key }))).toHaveProperty('durable')
      if (i % 5 === 2) expect(await timed(() => cache.invalidate({ tag: 'slowest' }))).toHaveProperty('durable')
      if (i % 5 === 3) await timed(() => cache.get(key))
    }
    watch.stop()
    const slowest = Math.max(...times)
    expect(slowest).toBeLessThan(HANGS_MS)
    return slowest
  }

  /** The connections that messages come by, or the others. */
  async connections(redis: RedisServer, proxy: FaultProxy, wanted: 'messages' | 'commands'): Promise<FaultProxy['connections']> {
    const subscribers = String(await redis.cli('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    return proxy.connections.filter(({ addressAtServer }) => subscribers.includes(`addr=${addressAtServer} `) === (wanted === 'messages'))
  }

  /** What was told of errors, in full. */
  get told(): string {
    return this.errors.map((error) => `${inspect(error, { depth: 6, showHidden: true })} ${JSON.stringify(error)}`).join('\n')
  }

  async stop(): Promise<void> {
    await Promise.all(this.#caches.map((cache) => cache.close()))
    await Promise.all(this.#started.map((each) => each.stop()))
  }

  #stopping<T extends Stoppable>(started: T): T {
    this.#started.push(started)
    return started
  }
}

function clusterTemplate(packageName: PackageName, urls: readonly string[]): RedisTarget {
  if (packageName.startsWith('redis')) {
    const { createCluster } = require(packageName) as { createCluster(options: object): RedisTarget }
    return createCluster({ rootNodes: urls.map((url) => ({ url })) })
  }
  const { Cluster } = require(packageName) as { Cluster: new (nodes: readonly string[], options: object) => RedisTarget }
  return new Cluster(urls, { lazyConnect: true })
}

export function ms(time: number): string {
  return `${time.toFixed(0)} ms`
}
