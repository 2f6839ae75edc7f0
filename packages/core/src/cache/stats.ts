import type { Scope } from '../flight/index.js'
import type { CacheStats } from '../observe/index.js'

export function statsOf({ counters, shared: { memory } }: Scope): CacheStats {
  const reads = counters.memoryHits + counters.misses
  return {
    memory: { hits: counters.memoryHits, entries: memory.size, maxEntries: memory.bounds.maxEntries, bytes: memory.bytes, maxBytes: memory.bounds.maxBytes },
    misses: counters.misses,
    loads: { started: counters.loads, failed: counters.loadsFailed, running: counters.loadsRunning },
    sets: counters.sets,
    coalesced: counters.coalesced,
    stale: counters.stale,
    invalidations: counters.invalidations,
    fenced: counters.fenced,
    uncacheable: counters.uncacheable,
    hitRatio: reads === 0 ? 0 : counters.memoryHits / reads,
  }
}
