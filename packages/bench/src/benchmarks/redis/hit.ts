import type { Cache } from '@tiercel/core'
import { compare, type Comparison } from '../../comparison.js'
import type { Plan, Series } from '../../measure.js'
import { measure } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import { openTiercel, roomForEntries, type Load } from '../../peers/index.js'
import { withRedis } from '../../redis/with-redis.js'
import { small, type Sample } from '../../values.js'
import type { Benchmark } from '../benchmark.js'
import { filled } from '../hit.js'
import type { ReadLoop } from '../other-reads.js'
import { openCache } from './open-cache.js'

const KEYS = 1000

/** What it costs a hit in memory that there is a Redis behind it. */
export const hitBeforeRedis: Benchmark = async ({ plan }) =>
  withRedis(async ({ url, name }) => ({
    name: 'redis-hit',
    title: `A hit in memory with Redis behind it, of ${KEYS.toLocaleString('en-US')} keys in turn`,
    comparisons: await hitsBefore((which) => openCache({ name: `${name}-${which}`, redis: url, memory: { maxEntries: roomForEntries, maxBytes: 2 ** 30 } }), KEYS, plan),
    notes: ['Each is compared with itself in memory only. Heartbeats and what the connection costs in between are included.'],
  }))

type Kind = 'getOrSet' | 'getOrSet, two tags' | 'get' | 'peek'
const kinds: readonly Kind[] = ['getOrSet', 'getOrSet, two tags', 'get', 'peek']

export async function hitsBefore(open: (which: number) => Promise<Cache>, count: number, plan: Plan): Promise<Comparison[]> {
  const values = Array.from({ length: count }, (_, id) => small.make(id))
  const alone = await Promise.all(kinds.map((kind) => filled(loopOf(kind, `${kind}, memory only`, openTiercel()), values)))
  const before: Awaited<ReturnType<typeof filled>>[] = []
  for (const [which, kind] of kinds.entries()) before.push(await filled(loopOf(kind, kind, await open(which)), values))
  const hits = [...alone, ...before]
  const series = await measure(hits.map(({ subject }) => subject), plan)
  for (const { finish } of hits) await finish()
  const named = (name: string): Series => {
    const found = series.find((each) => each.name === name)
    expect(found !== undefined, `nothing was measured of ${name}`)
    return found
  }
  return kinds.map((kind) => compare(small.name, named(kind), named(`${kind}, memory only`), 1.4))
}

/** Both caches go through the same loop: what is compared is the cache, and both have the same code. */
function loopOf(kind: Kind, name: string, cache: Cache): ReadLoop {
  const close = () => cache.close()
  return {
    name,
    copies: false,
    open(load: Load) {
      const readEach = loops[kind](cache, load)
      const fill = async (keys: readonly string[]): Promise<void> => {
        for (const key of keys) await cache.getOrSet(key, () => load(key), kind === 'getOrSet, two tags' ? { tags } : undefined)
      }
      return { fill, read: (key) => cache.get(key), readEach, close }
    },
  }
}

const tags = ['users', 'team:7']

const loops: Record<Kind, (cache: Cache, load: Load) => (keys: readonly string[]) => number | Promise<number>> = {
  getOrSet: (cache, load) => async (keys) => {
    let sum = 0
    for (const key of keys) sum += (await cache.getOrSet(key, () => load(key))).id
    return sum
  },
  'getOrSet, two tags': (cache, load) => async (keys) => {
    let sum = 0
    for (const key of keys) sum += (await cache.getOrSet(key, () => load(key), { tags: ['users', 'team:7'] })).id
    return sum
  },
  get: (cache) => async (keys) => {
    let sum = 0
    for (const key of keys) sum += ((await cache.get(key)) as Sample).id
    return sum
  },
  // Where it cannot answer, as after a pause of the process, it does not ask Redis either.
  peek: (cache, load) => (keys) => {
    let sum = 0
    for (const key of keys) {
      const found = cache.peek<Sample>(key)
      if (found === undefined) return readAll(cache, load, keys)
      sum += found.id
    }
    return sum
  },
}

async function readAll(cache: Cache, load: Load, keys: readonly string[]): Promise<number> {
  let sum = 0
  for (const key of keys) sum += (await cache.getOrSet(key, () => load(key))).id
  return sum
}
