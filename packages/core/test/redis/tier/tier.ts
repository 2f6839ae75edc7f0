import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import { createCache, type Cache, type CacheEvents, type CacheOptions } from '../../../src/index.js'
import { RedisTimeoutError } from '../../../src/errors/index.js'
import { openConnection, type RedisConnection, type Reply } from '../../../src/redis/clients/index.js'
import { startRedis, type RedisServer } from '../server/index.js'
import { executedDuring } from './monitor.js'

/** One Redis for the tests of a file, and caches on it that each could be in a process of its own. */
export interface Tier {
  readonly redis: RedisServer
  /** A cache that is connected. */
  open(options?: CacheOptions): Promise<Cache>
  /** A cache that may not be connected yet. */
  opening(options?: CacheOptions): Cache
  /** One command from outside, as bytes. */
  send(...command: readonly (string | Buffer)[]): Promise<Reply>
  /** The names of all keys there are. */
  names(): Promise<string[]>
  /** The commands that caches sent meanwhile, heartbeats left out. What scripts do is not among them. */
  commandsDuring(run: () => Promise<unknown>): Promise<string[][]>
  /** What caches of this test could tell nobody. */
  readonly errors: CacheEvents['error'][]
}

/** For a state that comes about by itself: soon, but nobody says when. */
export const soon = { timeout: 30_000, interval: 5 }

/** What a cache of this tier has and asks for does not depend on how long a busy machine takes for it. */
const PATIENT = { deadline: '20s', connectTimeout: '20s', maxStaleness: '1m' } as const

export function useTier(args: readonly string[] = []): Tier {
  let redis: RedisServer
  let outside: RedisConnection | undefined
  const opened: Cache[] = []
  const errors: CacheEvents['error'][] = []

  beforeAll(async () => {
    redis = await startRedis({ args })
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((cache) => cache.close()))
    await outside?.close(0)
    outside = undefined
    errors.length = 0
    await redis.cli('FLUSHALL')
  })
  afterAll(() => redis.stop())

  const opening = (options: CacheOptions = {}) => {
    const cache = createCache({ redis: redis.url, ...PATIENT, ...options })
    cache.on('error', (error) => {
      // A connection that is slow to be made is tried again.
      if (!(error.error instanceof RedisTimeoutError)) errors.push(error)
    })
    opened.push(cache)
    return cache
  }
  return {
    get redis() {
      return redis
    },
    errors,
    opening,
    async open(options) {
      const cache = opening(options)
      await vi.waitUntil(() => isConnected(cache), soon)
      return cache
    },
    send(...command) {
      outside ??= openConnection(redis.url, { connectTimeoutMs: 5000, onError: () => {} })
      return outside.send(command, { route: '', timeoutMs: 5000 })
    },
    async names() {
      return ((await redis.cli('KEYS', '*')) as string[]).sort()
    },
    async commandsDuring(run) {
      const ownAddress = /addr=(\S+)/.exec(String(await redis.cli('CLIENT', 'INFO')))?.[1]
      const executed = await executedDuring(redis, run)
      return executed.filter(({ from }) => from !== 'lua' && from !== ownAddress).flatMap(({ command }) => (isHeartbeat(command) ? [] : [[...command]]))
    },
  }
}

export function isConnected(cache: Cache): boolean {
  return cache.getConnectionStatus() === 'connected'
}

/** One of its two commands is a script with nothing but the counter, which begins with what it does if that is there; the other asks which run it is. */
function isHeartbeat([name, , keys, key]: readonly string[]): boolean {
  if (name?.toUpperCase() === 'INFO') return true
  return /^EVAL/i.test(name ?? '') && keys === '1' && (key?.endsWith(':bus:seq') ?? false)
}
