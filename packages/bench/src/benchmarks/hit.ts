import { compare, fasterBy, type Comparison } from '../comparison.js'
import type { Effort } from '../effort.js'
import { measure, type Series, type Subject } from '../measure.js'
import { expect } from '../misbehaviour.js'
import { peers, tiercel, type Peer } from '../peers/index.js'
import { medium, small, type Sample, type Shape } from '../values.js'
import type { Benchmark } from './benchmark.js'
import { CountedLoads, keysOf } from './counted-loads.js'
import { otherReads, type ReadLoop } from './other-reads.js'

const KEYS = 1000

/** One process, everything cached: what a hit costs. */
export const hit: Benchmark = async (effort) => ({
  name: 'hit',
  title: `A hit in memory, of ${KEYS.toLocaleString('en-US')} keys in turn`,
  comparisons: [...(await hitsOf(small, KEYS, effort)), ...(await hitsOf(medium, KEYS, effort))],
  notes: [
    'Every read is awaited before the next, but those of peek and of lru-cache get, which are synchronous.',
    `Every reader is given a copy by ${peers.filter(({ copies }) => copies).map(({ name }) => name).join(' and ')}, and by Tiercel with clone: true. All others give the value itself.`,
  ],
})

export async function hitsOf(shape: Shape, count: number, { plan }: Effort): Promise<Comparison[]> {
  const values = Array.from({ length: count }, (_, id) => shape.make(id))
  const loops = [...otherReads, ...[tiercel, ...peers].map(readThrough)]
  // Those that make copies come last in a round: they leave so much garbage behind that collecting it would disturb the others.
  loops.sort((a, b) => Number(a.copies) - Number(b.copies))
  const hits = await Promise.all(loops.map((loop) => filled(loop, values)))
  const series = await measure(hits.map(({ subject }) => subject), plan)
  for (const { finish } of hits) await finish()

  const named = (name: string): Series => {
    const found = series.find((each) => each.name === name)
    expect(found !== undefined, `nothing was measured of ${name}`)
    return found
  }
  const line = (us: string, peer: string, target?: number) => compare(shape.name, named(us), named(peer), target)
  return [
    line('getOrSet', 'lru-cache fetch', 1.6),
    line('getOrSet, two tags', 'lru-cache fetch', 2),
    line('getOrSet, in a namespace', 'lru-cache fetch'),
    line('get', 'lru-cache fetch'),
    line('peek', 'lru-cache get', 4),
    line('getOrSet', 'lru-cache fetch, no TTL'),
    line('peek', 'lru-cache get, no TTL'),
    line('getOrSet', 'cachified over lru-cache'),
    line('getOrSet', 'async-cache-dedupe'),
    line('getOrSet', 'cacheable, useClone: false'),
    line('getOrSet', 'bentocache, serialize: false'),
    line('getOrSet', 'cacheable'),
    line('getOrSet', 'cache-manager', fasterBy(5)),
    line('getOrSet', 'bentocache', fasterBy(20)),
    line('getOrSet, clone: true', 'cacheable'),
    line('getOrSet, clone: true', 'bentocache'),
  ]
}

interface Filled {
  readonly subject: Subject
  /** Checks that there was nothing but hits, and closes. */
  finish(): Promise<void>
}

/** Loads everything once, so that all that is timed are hits. */
export async function filled({ name, copies, open }: ReadLoop, values: readonly Sample[]): Promise<Filled> {
  const loads = new CountedLoads((id) => values[id] as Sample)
  const keys = keysOf(values.length)
  const { fill, read, readEach, close } = open(loads.load)
  await fill(keys)
  expect(((await read('key:0')) !== values[0]) === copies, `${name} ${copies ? 'did not give a copy' : 'gave a copy'}`)
  const turns = quartersOf(keys, values)
  let turn = 0
  return {
    subject: {
      name,
      operations: keys.length / turns.length,
      pass: () => readEach(turns[turn % turns.length]?.keys ?? []),
      check: (sum) => expect(sum === turns[turn++ % turns.length]?.sum, `${name} gave other values than were cached`),
    },
    async finish() {
      expect(loads.count === keys.length, `${name} loaded ${loads.count} times where ${keys.length} keys were to be loaded once each`)
      await close()
    },
  }
}

/** A pass reads a quarter of the keys: with all of them, the slow ones would take many times longer than a sample is meant to. */
function quartersOf(keys: readonly string[], values: readonly Sample[]): { readonly keys: readonly string[]; readonly sum: number }[] {
  expect(keys.length % 4 === 0, 'the number of keys cannot be divided by four')
  const length = keys.length / 4
  return [0, length, 2 * length, 3 * length].map((start) => ({
    keys: keys.slice(start, start + length),
    sum: values.slice(start, start + length).reduce((sum, { id }) => sum + id, 0),
  }))
}

export function readThrough({ name, copies, open }: Peer): ReadLoop {
  return {
    name,
    copies,
    open(load) {
      const { read, readEach, close } = open(load)
      return { fill: readEach, read, readEach, close }
    },
  }
}
