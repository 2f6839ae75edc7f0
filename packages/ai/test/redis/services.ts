import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import { createAICacheService, type AICacheOptions, type AICacheService } from '@tiercel/ai'
import { startProxy, startRedis, type FaultProxy, type RedisServer } from '../../../core/test/redis/server/index.js'

/** For a state that comes about by itself: soon, but nobody says when. */
export const soon = { timeout: 40_000, interval: 2 }

/** One Redis for the tests of a file, and services on it that each could be in a process of its own. */
export interface Services {
  readonly redis: RedisServer
  /** A service that is connected. Its times are long, so that a busy machine is not taken for an outage. */
  open(options?: AICacheOptions): Promise<AICacheService>
  opening(options?: AICacheOptions): AICacheService
  /** A way to Redis that can be broken. */
  proxy(): Promise<FaultProxy>
  /** What the services of this test could tell nobody. */
  readonly warnings: unknown[]
}

export function useServices(args: readonly string[] = []): Services {
  let redis: RedisServer
  const opened: AICacheService[] = []
  const proxies: FaultProxy[] = []
  const warnings: unknown[] = []

  beforeAll(async () => {
    redis = await startRedis({ args })
  })
  afterEach(async () => {
    await Promise.all(proxies.map((proxy) => proxy.heal()))
    await Promise.all(opened.splice(0).map((service) => service.close()))
    await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()))
    warnings.length = 0
    await redis.cli('FLUSHALL')
  })
  afterAll(() => redis.stop())

  const opening = (options: AICacheOptions = {}) => {
    const service = createAICacheService({ redis: redis.url, enabled: true, deadline: '30s', connectTimeout: '40s', logger: { warn: ({ err }: { err?: unknown }) => void warnings.push(err) }, ...options })
    opened.push(service)
    return service
  }
  return {
    get redis() {
      return redis
    },
    warnings,
    opening,
    async open(options) {
      const service = opening(options)
      await service.ready
      return service
    },
    async proxy() {
      const proxy = await startProxy(redis.port)
      proxies.push(proxy)
      return proxy
    },
  }
}

/** Waits until a synchronous read finds something, or does not any more. Reads once a turn, as a request would. */
export async function until(read: () => unknown, isThere: (value: unknown) => boolean = (value) => value !== null): Promise<unknown> {
  return vi.waitUntil(() => {
    const value = read()
    return isThere(value) ? { value } : undefined
  }, soon).then(({ value }) => value)
}

export const gone = (value: unknown): boolean => value === null
