// This file defines a suite for others, so its titles are names.
/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/require-top-level-describe, vitest/no-disabled-tests, vitest/expect-expect */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { Cache } from '../../src/index.js'
import type { PackageName } from '../redis/clients/variants.js'
import { describeWithRedis, type FaultProxy, type RedisServer } from '../redis/server/index.js'
import { Arena, ms } from './arena.js'
import { Stopwatch } from './stopwatch.js'

interface Trouble {
  readonly name: string
  begin(redis: RedisServer, proxy: FaultProxy): Promise<void> | void
  end(redis: RedisServer, proxy: FaultProxy): Promise<void> | void
}

const troubles: readonly Trouble[] = [
  { name: 'stopped', begin: (redis) => redis.pause(), end: (redis) => redis.resume() },
  { name: 'half-open', begin: (_, proxy) => proxy.blackhole(), end: (_, proxy) => proxy.heal() },
  { name: '2 s slow', begin: (_, proxy) => proxy.delay(2000), end: (_, proxy) => proxy.heal() },
]

const moreTroubles: readonly Trouble[] = [
  { name: 'killed', begin: (redis) => redis.kill(), end: (redis) => redis.start() },
  { name: 'deaf', begin: (_, proxy) => proxy.blackhole('up'), end: (_, proxy) => proxy.heal() },
  { name: 'mute', begin: (_, proxy) => proxy.blackhole('down'), end: (_, proxy) => proxy.heal() },
  {
    name: 'gone, and then swallows what is sent to connect',
    async begin(_, proxy) {
      proxy.refuse()
      proxy.reset()
      await proxy.heal()
      proxy.blackhole()
    },
    end: (_, proxy) => proxy.heal(),
  },
]

const LOAD_MS = 20
const FIRST_WAVE = 500
/** The first ones meet a Redis that nobody knows to be in trouble; the others one that is not asked any more. */
const WAVES = [FIRST_WAVE, FIRST_WAVE, FIRST_WAVE, ...Array.from({ length: 20 }, () => 40)]
/** What Redis may add to a call that is measured: so much that a machine which is late for a moment is told from a second deadline. */
const CALL_DEADLINE_MS = 1000
/** What timers, several in each call, and the turns between them take. */
const SLACK_MS = 700
/** Far longer than a test waits. */
const WAITED_FOR_IN_VAIN = '5m'
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
        const cache = await arena.open(proxy, { deadline: CALL_DEADLINE_MS })
        const watch = new Stopwatch()
        await begin(redis, proxy)
        const calls: Promise<number>[] = []
        let asked = 0
        for (const [wave, size] of WAVES.entries()) {
          if (size < FIRST_WAVE) await arena.until(() => !cache.health().healthy)
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
        const bound = CALL_DEADLINE_MS + LOAD_MS
        const over = times.filter((time) => time > bound + SLACK_MS)
        lines.push(`  ${name}: ${times.length} calls, ${asked} of which asked Redis; ${over.length} took longer than they may, the slowest ${ms(Math.max(...times))} of ${bound} ms\n`)
        expect(asked).toBeGreaterThanOrEqual(FIRST_WAVE)
        expect(over).toEqual([])
      },
    )

    it.each([...troubles, ...moreTroubles])(
      '$name, it is used again when it is back, whatever hangs',
      async ({ name, begin, end }) => {
        arena = new Arena(packageName)
        const { redis, proxy } = await arena.pair()
        const cache = await arena.open(proxy, { connectTimeout: WAITED_FOR_IN_VAIN })
        const times: number[] = []
        for (const away of AWAY_MS) times.push(await backAfter(cache, away, arena, () => begin(redis, proxy), () => end(redis, proxy)))
        lines.push(told(name, times))
      },
    )

    it.skipIf(process.env.TIERCEL_PROOF !== '1')(
      'in trouble as a cluster or in one of its nodes, it is used again when it is back, whatever hangs',
      async () => {
        arena = new Arena(packageName)
        const cluster = await arena.cluster({ proxied: true })
        const cache = await arena.openInCluster(cluster, { connectTimeout: WAITED_FOR_IN_VAIN })
        const pairs = cluster.nodes.map((node, index) => [node, cluster.proxies[index] as FaultProxy] as const)
        for (const { name, begin, end } of [...troubles, ...moreTroubles]) {
          for (const [whose, chosen] of [['all of a cluster', pairs], ['a node of a cluster', pairs.slice(1, 2)]] as const) {
            const all = async (act: Trouble['begin'] | Trouble['end']) => void (await Promise.all(chosen.map(([node, proxy]) => act(node, proxy))))
            const times: number[] = []
            for (const away of AWAY_MS) {
              times.push(
                await backAfter(cache, away, arena, () => all(begin), async () => {
                  await all(end)
                  await arena?.until(async () => (await Promise.all(cluster.nodes.map((node) => node.cli('CLUSTER', 'INFO')))).every((info) => String(info).includes('cluster_state:ok')))
                }),
              )
            }
            lines.push(told(`${whose} ${name}`, times))
          }
        }
      },
      600_000,
    )
  })
}

/** How long it takes until a cache has told Redis what it missed. It would not be in time if it waited for an attempt to connect that hangs. */
async function backAfter(cache: Cache, awayMs: number, arena: Arena, begin: () => Promise<void> | void, end: () => Promise<void> | void): Promise<number> {
  await begin()
  // One of them is of a slot that is in trouble.
  for (let i = 0; cache.health().healthy; i++) await cache.invalidate({ key: `k${i}` })
  expect(cache.health().redis).toMatchObject({ breaker: 'open' })
  await pause(awayMs)
  await end()
  return await arena.connected(cache)
}

function told(name: string, times: readonly number[]): string {
  return `  ${name}: used again after ${times.map(ms).join(', ')}, having been away for ${AWAY_MS.map(ms).join(', ')}\n`
}
