import type { AICacheStats, FamilyName } from '../families/index.js'
import type { AICache } from './ai-cache.js'
import { messageHash, searchKey } from './keys.js'

/** What a caller gets who names no type: the modules this one replaces say `any`, and their callers rely on it. */
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type Untyped = any

/** What both faces have: it asks nobody, so it is synchronous in both. */
export abstract class Face {
  protected readonly cache: () => AICache

  /** @internal */
  constructor(cache: () => AICache) {
    this.cache = cache
  }

  /** The key of a search: `search:`, the query and its filters as JSON. */
  generateSearchKey(query: string, filters?: unknown): string {
    return searchKey(query, filters)
  }

  /** The key of a message: `chat:` and a hash of the message and its context. A context that is falsy counts as none. */
  generateMessageHash(message: string, context?: unknown): string {
    return messageHash(message, () => this.cache().normalized(context))
  }

  /** Figures of this process, in fresh objects. */
  getStats(): AICacheStats {
    return this.cache().stats()
  }

  /** Hits in this process as a part of all reads, from 0 to 1; 0 when there were none. */
  getCacheHitRatio(family: FamilyName): number {
    return this.cache().hitRatio(family)
  }
}
