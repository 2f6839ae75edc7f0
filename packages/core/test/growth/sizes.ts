import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { scopeOf } from '../../src/cache/cache.js'
import type { Cache } from '../../src/index.js'
import type { RedisServer } from '../redis/server/index.js'

/** What could grow. */
export interface Sizes {
  readonly heapMB: number
  readonly entries: number
  readonly tokens: number
  readonly fences: number
  readonly flights: number
  readonly journal: number
  readonly timers: number
  readonly redisKeys: number
  readonly redisMB: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const MB = 2 ** 20

/** Of several caches together, when nothing is under way. */
export async function sizesOf(caches: readonly Cache[], redis: RedisServer): Promise<Sizes> {
  // What is finalised after one collection is collected by the next.
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const all = caches.map((cache) => scopeOf(cache).shared)
  const total = (of: (shared: (typeof all)[number]) => number) => all.reduce((sum, shared) => sum + of(shared), 0)
  const used = Number(/used_memory:(\d+)/.exec(String(await redis.cli('INFO', 'memory')))?.[1])
  return {
    heapMB: process.memoryUsage().heapUsed / MB,
    entries: total(({ memory }) => memory.size),
    tokens: total(({ tokens }) => tokens.size),
    fences: total(({ fences }) => fences.size),
    flights: total(({ flights }) => flights.size),
    journal: total(({ remote }) => remote?.journal.size ?? 0),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    // Those whose time is over and which Redis has not removed yet are not among them.
    redisKeys: ((await redis.cli('KEYS', '*')) as unknown[]).length,
    redisMB: used / MB,
  }
}
