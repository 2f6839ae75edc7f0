/** Where a value came from. */
export type Tier = 'memory' | 'redis'

/** `'memory-fallback'`: all is kept in this process, because there is no Redis or it cannot be reached. */
export type ConnectionStatus = 'connected' | 'disconnected' | 'memory-fallback'

/** What happened in a cache since it was made; of a namespace, what happened in it and below. */
export interface CacheStats {
  readonly memory: {
    readonly hits: number
    /** Entries kept now, by the whole cache; fresh, stale and invalidated ones that were not yet pushed out. */
    readonly entries: number
    readonly maxEntries: number
    /** Estimated bytes kept now, by the whole cache. */
    readonly bytes: number
    readonly maxBytes: number
  }
  /** `undefined` when the cache is in this process only. */
  readonly redis:
    | {
        readonly hits: number
        /** What was asked of Redis and came to nothing. */
        readonly errors: number
        /** Values that were loaded or set and not stored, because somebody else had taken the right to. */
        readonly droppedCommits: number
        /** How often this process forgot everything, because it could have missed something. */
        readonly flushes: number
        /** How often a change was missing, out of turn or not to be understood. Each is a flush, too. */
        readonly gaps: number
        /** How often Redis was not asked any more, because it did not answer. */
        readonly outages: number
        /** Entries that could not be used: damaged, of another version, moved from another key. */
        readonly corruptEntries: number
        /** Messages on the channel that no cache has sent. */
        readonly foreignMessages: number
        /** Values served from memory that the audit has compared with what Redis had a little later. */
        readonly audited: number
        /** Those that differed, and were still served. */
        readonly disagreements: number
      }
    | undefined
  /** Reads that found nothing fresh. */
  readonly misses: number
  /** Loads that were started, and how they ended. */
  readonly loads: { readonly started: number; readonly failed: number; readonly running: number }
  /** Values kept. */
  readonly sets: number
  /** Calls that waited for a load another call had started. */
  readonly coalesced: number
  /** Stale values served within grace. */
  readonly stale: number
  readonly invalidations: number
  /** Values that were served and not kept, because an invalidation came while they were loaded. */
  readonly fenced: number
  /** Values that were served and not kept, because they cannot be encoded or are too large. */
  readonly uncacheable: number
  /** Hits among all reads, 0 to 1; 0 when there were none. */
  readonly hitRatio: number
}

/** The counters of one namespace. Each also counts for the namespaces above it. */
export class Counters {
  memoryHits = 0
  redisHits = 0
  redisErrors = 0
  droppedCommits = 0
  misses = 0
  loads = 0
  loadsFailed = 0
  loadsRunning = 0
  sets = 0
  coalesced = 0
  stale = 0
  invalidations = 0
  fenced = 0
  uncacheable = 0

  constructor(readonly parent: Counters | undefined) {}

  // Named and not by `add`: a hit is too frequent for a property looked up by name.
  countMemoryHit(): void {
    this.memoryHits++
    for (let above = this.parent; above !== undefined; above = above.parent) above.memoryHits++
  }

  add(counter: Exclude<keyof Counters, 'parent' | 'add' | 'countMemoryHit'>, by = 1): void {
    let counters: Counters | undefined = this
    while (counters !== undefined) {
      counters[counter] += by
      counters = counters.parent
    }
  }
}
