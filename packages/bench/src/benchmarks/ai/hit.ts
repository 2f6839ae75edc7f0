import { createAICacheService, type AICacheService } from '@tiercel/ai'
import { roomForEntries } from '../../peers/index.js'
import { compare, type Comparison } from '../../comparison.js'
import type { Effort } from '../../effort.js'
import { measure } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import { small, type Sample } from '../../values.js'
import type { Benchmark } from '../benchmark.js'
import { keysOf } from '../counted-loads.js'
import { otherReads, type ReadLoop } from '../other-reads.js'
import { filled } from '../hit.js'

const KEYS = 1000

/** What a synchronous hit of the AI cache costs. */
export const aiHit: Benchmark = async (effort) => ({
  name: 'ai-hit',
  title: `A synchronous hit of the AI cache, of ${KEYS.toLocaleString('en-US')} keys in turn`,
  comparisons: await aiHitsOf(KEYS, effort),
  notes: ['lru-cache has a TTL too, and a clock that it reads at most once per millisecond. The AI cache reads two at every hit, and counts it.'],
})

export async function aiHitsOf(count: number, { plan }: Effort): Promise<Comparison[]> {
  const values = Array.from({ length: count }, (_, id) => small.make(id))
  const peers = otherReads.filter(({ name }) => name.startsWith('lru-cache get'))
  const hits = await Promise.all([aiRead, ...peers].map((loop) => filled(loop, values)))
  const series = await measure(hits.map(({ subject }) => subject), plan)
  for (const { finish } of hits) await finish()
  const [ours, withTtl, withoutTtl] = series
  if (ours === undefined || withTtl === undefined || withoutTtl === undefined) throw new Error('nothing was measured')
  return [compare(small.name, ours, withTtl, 5), compare(small.name, ours, withoutTtl)]
}

const aiRead: ReadLoop = {
  name: 'getSearchResults',
  copies: false,
  open(load) {
    const ai: AICacheService = createAICacheService({ redis: false, enabled: true, searchCacheSize: roomForEntries })
    return {
      async fill(keys) {
        for (const key of keys) ai.setSearchResults(key, await load(key))
        expect(ai.getStats().search.size === keys.length && keysOf(keys.length).length === keys.length, 'not everything was kept')
      },
      read: (key) => ai.getSearchResults<Sample>(key),
      readEach(keys) {
        let sum = 0
        for (const key of keys) sum += (ai.getSearchResults(key) as Sample).id
        return sum
      },
      close: () => ai.close(),
    }
  },
}
