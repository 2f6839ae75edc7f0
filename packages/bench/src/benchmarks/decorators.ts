import { compare, type Comparison } from '../comparison.js'
import type { Effort } from '../effort.js'
import { measure, type Series } from '../measure.js'
import { expect } from '../misbehaviour.js'
import { tiercel } from '../peers/index.js'
import { small } from '../values.js'
import type { Benchmark } from './benchmark.js'
import { byHandByFields, byHandByString } from './decorated/by-hand.js'
import { nodeTsCacheByFields, nodeTsCacheByString } from './decorated/node-ts-cache.js'
import { cachedByFields, cachedByString } from './decorated/tiercel.js'
import { typeCacheableByFields, typeCacheableByString } from './decorated/type-cacheable.js'
import { filled, readThrough } from './hit.js'

const KEYS = 1000

/** What a hit through a decorated method costs: the core's, and making the key. */
export const decorators: Benchmark = async (effort) => ({
  name: 'decorators',
  title: `A hit through a decorated method, of ${KEYS.toLocaleString('en-US')} arguments in turn`,
  comparisons: await decoratedHitsOf(KEYS, effort),
  notes: ['Each call makes its key from its arguments: one string, or an object of three fields. getOrSet is given its key.', 'All give the value itself.'],
})

export async function decoratedHitsOf(count: number, { plan }: Effort): Promise<Comparison[]> {
  const values = Array.from({ length: count }, (_, id) => small.make(id))
  const loops = [readThrough(tiercel), byHandByString, cachedByString, byHandByFields, cachedByFields, typeCacheableByString, typeCacheableByFields, nodeTsCacheByString, nodeTsCacheByFields]
  const hits = await Promise.all(loops.map((loop) => filled(loop, values)))
  const series = await measure(hits.map(({ subject }) => subject), plan)
  for (const { finish } of hits) await finish()

  const named = (name: string): Series => {
    const found = series.find((each) => each.name === name)
    expect(found !== undefined, `nothing was measured of ${name}`)
    return found
  }
  const line = (us: { name: string }, peer: { name: string }, target?: number) => compare(undefined, named(us.name), named(peer.name), target)
  return [
    line(cachedByString, tiercel, 2),
    line(cachedByFields, tiercel, 6),
    line(cachedByString, byHandByString),
    line(cachedByFields, byHandByFields),
    line(cachedByString, typeCacheableByString),
    line(cachedByFields, typeCacheableByFields),
    line(cachedByString, nodeTsCacheByString),
    line(cachedByFields, nodeTsCacheByFields),
  ]
}
