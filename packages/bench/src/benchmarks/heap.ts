import { inChild } from '../children/child.js'
import { compare } from '../comparison.js'
import { seriesOf } from '../measure.js'
import { expect } from '../misbehaviour.js'
import { small } from '../values.js'
import type { Benchmark } from './benchmark.js'

const ENTRIES = 100_000
const program = new URL('../children/heap.js', import.meta.url)

interface Grown {
  readonly heap: number
  readonly buffers: number
}

/** What the heap grows by when it holds many small entries. */
export const heap: Benchmark = async ({ processRounds }) => {
  const plain = holders('tiercel', 'getOrSet')
  const tagged = holders('tiercel-tagged', 'getOrSet, two tags')
  const lru = holders('lru-cache', 'lru-cache')
  const lruWithoutTtl = holders('lru-cache-without-ttl', 'lru-cache, no TTL')
  const map = holders('map', 'a bare Map')
  const all = [plain, tagged, lru, lruWithoutTtl, map]
  for (let round = 0; round < processRounds; round++) await inPairs(all.map(({ grow }) => grow))
  return {
    name: 'heap',
    title: `Heap of ${ENTRIES.toLocaleString('en-US')} entries, keys and values included`,
    comparisons: [
      compare(small.name, plain.series(), lru.series(), 1.5),
      compare(small.name, plain.series(), lruWithoutTtl.series()),
      compare(small.name, plain.series(), map.series()),
      compare(small.name, tagged.series(), lru.series()),
    ],
    notes: [`Each figure is the median of ${processRounds} processes. Typed arrays, which are outside of the heap: ${plain.buffers()} for Tiercel, ${lru.buffers()} for lru-cache.`],
  }
}

function holders(kind: string, name: string) {
  const grown: Grown[] = []
  return {
    async grow(): Promise<void> {
      const measured = (await inChild(program, kind, String(ENTRIES))) as Grown
      expect(measured.heap > 0, `${name} did not take any memory`)
      grown.push(measured)
    },
    series: () => seriesOf(name, 'bytes', grown.map((each) => each.heap)),
    buffers: () => `${(seriesOf(name, 'bytes', grown.map((each) => each.buffers)).median / 2 ** 20).toFixed(1)} MB`,
  }
}

/** Two at a time, as bytes do not depend on how busy the processors are. */
async function inPairs(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  for (let i = 0; i < tasks.length; i += 2) await Promise.all(tasks.slice(i, i + 2).map((task) => task()))
}
