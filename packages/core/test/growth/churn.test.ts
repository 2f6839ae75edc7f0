import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createCache, type Cache } from '../../src/index.js'
import { describeWithRedis, startRedis, type RedisServer } from '../redis/server/index.js'
import { BRIEF_MS, MOST_REDIS_KEYS, operate } from './operations.js'
import { sizesOf, type Sizes } from './sizes.js'

const OPERATIONS = process.env.TIERCEL_PROOF === '1' ? 10_000_000 : 20_000
const PARTS = 5
/** By then everything is as full as it gets. */
const WARM = 2
const AT_ONCE = 200
const MAX_ENTRIES = 1000
const soon = { timeout: 60_000, interval: 10 }

describeWithRedis('after very many operations', () => {
  let redis: RedisServer
  let caches: readonly [Cache, Cache]
  beforeAll(async () => {
    redis = await startRedis()
    const options = { redis: redis.url, deadline: '20s', memory: { maxEntries: MAX_ENTRIES }, ttl: '1m' } as const
    caches = [createCache(options), createCache(options)]
    await Promise.all(caches.map((cache) => cache.ready()))
  })
  afterAll(async () => {
    await Promise.all(caches.map((cache) => cache.close()))
    await redis.stop()
  })

  /** Some callers, one call after the other, each with one of the two caches. */
  async function run(from: number, to: number): Promise<void> {
    let next = from
    const caller = async (cache: Cache) => {
      while (next < to) await operate(cache, next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => caller(caches[i % 2] as Cache)))
  }

  /** All connections break in the middle of it, and what is invalidated meanwhile is written down. */
  async function outage(): Promise<void> {
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await Promise.all(caches.map((cache) => cache.invalidate({ keys: Array.from({ length: 100 }, (_, i) => `known:${i}`) })))
    await vi.waitUntil(() => caches.every((cache) => cache.health().healthy && cache.health().redis?.journal === 0), soon)
  }

  it(
    'nothing has grown: heap, maps, fences, journal, and what is in Redis',
    async () => {
      const began = performance.now()
      const parts: Sizes[] = []
      for (let part = 0; part < PARTS; part++) {
        await run((part * OPERATIONS) / PARTS, ((part + 1) * OPERATIONS) / PARTS)
        await pause(BRIEF_MS)
        const sizes = await sizesOf(caches, redis)
        if (part === 0) print(['operations', ...Object.keys(sizes)])
        printSizes(((part + 1) * OPERATIONS) / PARTS, sizes)
        parts.push(sizes)
        await outage()
      }
      print([`in ${((performance.now() - began) / 1000).toFixed(0)} s`])
      for (const sizes of parts) {
        expect(sizes).toMatchObject({ fences: 0, flights: 0, journal: 0 })
        expect(sizes.entries).toBeLessThanOrEqual(2 * MAX_ENTRIES)
        expect(sizes.redisKeys).toBeLessThanOrEqual(MOST_REDIS_KEYS)
      }
      const most = (of: keyof Sizes, among: readonly Sizes[]) => Math.max(...among.map((sizes) => sizes[of]))
      const [early, late] = [parts.slice(0, WARM), parts.slice(WARM)]
      for (const of of ['heapMB', 'tokens', 'timers', 'redisMB'] as const) {
        expect(most(of, late), `${of} grew from ${most(of, early)}`).toBeLessThanOrEqual(most(of, early) * 1.25 + 10)
      }
    },
    60 * 60_000,
  )
})

const width = 11

function print(cells: readonly string[]): void {
  process.stderr.write(`  ${cells.map((cell) => cell.padStart(width)).join('')}\n`)
}

function printSizes(operations: number, sizes: Sizes): void {
  const names = Object.keys(sizes) as (keyof Sizes)[]
  print([operations.toLocaleString('en'), ...names.map((name) => sizes[name].toFixed(name.endsWith('MB') ? 1 : 0))])
}
