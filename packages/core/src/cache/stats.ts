import type { Scope } from '../flight/index.js'
import type { CacheStats } from '../observe/index.js'

export function statsOf({ counters, shared }: Scope): CacheStats {
  const { memory } = shared
  const hits = counters.memoryHits + counters.redisHits
  const reads = hits + counters.misses
  return {
    memory: { hits: counters.memoryHits, entries: memory.size, maxEntries: memory.bounds.maxEntries, bytes: memory.bytes, maxBytes: memory.bounds.maxBytes },
    redis:
      shared.remote === undefined
        ? undefined
        : {
            hits: counters.redisHits,
            errors: counters.redisErrors,
            droppedCommits: counters.droppedCommits,
            flushes: shared.flushes,
            gaps: shared.remote.bus.gaps,
            outages: shared.remote.outages,
            corruptEntries: [...shared.corrupt.values()].reduce((sum, count) => sum + count, 0),
            foreignMessages: shared.foreignMessages,
            audited: shared.audit?.compared ?? 0,
            disagreements: shared.audit?.disagreements ?? 0,
          },
    misses: counters.misses,
    loads: { started: counters.loads, failed: counters.loadsFailed, running: counters.loadsRunning },
    sets: counters.sets,
    coalesced: counters.coalesced,
    stale: counters.stale,
    invalidations: counters.invalidations,
    fenced: counters.fenced,
    uncacheable: counters.uncacheable,
    hitRatio: reads === 0 ? 0 : hits / reads,
  }
}
