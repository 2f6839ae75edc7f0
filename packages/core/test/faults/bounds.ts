// This file defines a suite for others, so its titles are names.
/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/require-top-level-describe */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { PackageName } from '../redis/clients/variants.js'
import { describeWithRedis, type FaultProxy, type RedisServer } from '../redis/server/index.js'
import { Arena, DEADLINE_MS, ms } from './arena.js'
import { Stopwatch } from './stopwatch.js'

interface Trouble {
  readonly name: string
  begin(redis: RedisServer, proxy: FaultProxy): void
  end(redis: RedisServer, proxy: FaultProxy): Promise<void> | void
}

const troubles: readonly Trouble[] = [
  { name: 'stopped', begin: (redis) => redis.pause(), end: (redis) => redis.resume() },
  { name: 'half-open', begin: (_, proxy) => proxy.blackhole(), end: (_, proxy) => proxy.heal() },
  { name: '2 s slow', begin: (_, proxy) => proxy.delay(2000), end: (_, proxy) => proxy.heal() },
]

const LOAD_MS = 20
/** The first ones meet a Redis that nobody knows to be in trouble; the others one that is not asked any more. */
const WAVES = [500, 500, 500, ...Array.from({ length: 20 }, () => 40)]
/** What timers, several in each call, and the turns between them take. */
const SLACK_MS = 60
const BACK_MS = 2000
/** Pauses between attempts grow with the time that it is away. */
const AWAY_MS = process.env.TIERCEL_PROOF === '1' ? [300, 1500, 4000] : [300]

/** What trouble with Redis costs at most, counted, with one kind of client. */
export function boundsSuite(packageName: PackageName): void {
  describeWithRedis(`with ${packageName}, while Redis is`, () => {
    const lines: string[] = []
    let arena: Arena | undefined
    afterEach(() => arena?.stop())
    afterAll(() => void process.stderr.write(`\nbounds, with ${packageName}\n${lines.join('')}`))

    it.each(troubles)(
      '$name, each of thousands of calls takes the deadline and its load at most',
      async ({ name, begin, end }) => {
        arena = new Arena(packageName)
        const { redis, proxy } = await arena.pair()
        const cache = await arena.open(proxy)
        const watch = new Stopwatch()
        begin(redis, proxy)
        const calls: Promise<number>[] = []
        let asked = 0
        for (const [wave, size] of WAVES.entries()) {
          if (cache.health().healthy) asked += size
          for (let i = 0; i < size; i++) {
            const key = `${wave}:${i}`
            calls.push(watch.time(async () => expect(await cache.getOrSet(key, () => pause(LOAD_MS, key))).toBe(key)))
          }
          await pause(10)
        }
        const times = await Promise.all(calls)
        watch.stop()
        await end(redis, proxy)
        const bound = DEADLINE_MS + LOAD_MS
        const over = times.filter((time) => time > bound + SLACK_MS)
        lines.push(`  ${name}: ${times.length} calls, ${asked} of which asked Redis; ${over.length} took longer than they may, the slowest ${ms(Math.max(...times))} of ${bound} ms\n`)
        expect(asked).toBeGreaterThanOrEqual(500)
        expect(over).toEqual([])
      },
      60_000,
    )

    it.each(troubles)(
      '$name, it is used again within two seconds of being back',
      async ({ name, begin, end }) => {
        arena = new Arena(packageName)
        const { redis, proxy } = await arena.pair()
        // An attempt to connect that was made meanwhile and hangs is not given up before.
        const cache = await arena.open(proxy, { connectTimeout: 500 })
        const watch = new Stopwatch()
        const times: number[] = []
        for (const away of AWAY_MS) {
          begin(redis, proxy)
          await cache.invalidate({ key: 'k' })
          expect(cache.health().redis).toMatchObject({ breaker: 'open', journal: 1 })
          await pause(away)
          const back = async () => {
            await end(redis, proxy)
            await arena?.connected(cache)
          }
          times.push(await watch.time(back))
        }
        watch.stop()
        lines.push(`  ${name}: used again after ${times.map(ms).join(', ')}, having been away for ${AWAY_MS.map(ms).join(', ')}\n`)
        expect(times.filter((time) => time > BACK_MS)).toEqual([])
      },
      60_000,
    )
  })
}
