import type { Cache } from '@tiercel/core'
import { LRUCache } from 'lru-cache'
import type { Family } from '../families/index.js'
import type { Newest } from './newest.js'
import { Writes } from './writes.js'

/** A read of Redis in the background. */
export interface Fetch {
  /** Somebody here asked for the key. */
  isWanted: boolean
  /** What memory holds is known to be too old, or was made here and may be: when Redis has nothing it goes. */
  dropsAbsent: boolean
  /** Something changed elsewhere meanwhile, so that what is read may be from before. */
  isOutdated: boolean
  /** Something changed here meanwhile. */
  isCancelled: boolean
  readonly done: Promise<void>
}

/** One family, here and in Redis. */
export class Space {
  readonly writes: Writes
  readonly fetches = new Map<string, Fetch>()
  /** Keys that Redis had no value of when it was asked, and that nobody has stored since. */
  readonly absent: LRUCache<string, true>
  forgetting: Promise<void> | undefined

  constructor(
    readonly cache: Cache,
    readonly family: Family,
    readonly newest: Newest,
    readonly userOf: ((key: string) => string) | undefined,
  ) {
    this.writes = new Writes(family.maxSize)
    this.absent = new LRUCache({ max: family.maxSize })
  }

  /** A value was set here: what is read at this moment is older. */
  overtakeFetch(key: string): void {
    this.absent.delete(key)
    const fetch = this.fetches.get(key)
    if (fetch === undefined) return
    fetch.isCancelled = true
    this.fetches.delete(key)
  }

  cancelFetches(): void {
    for (const fetch of this.fetches.values()) fetch.isCancelled = true
    this.fetches.clear()
  }

  outdateFetches(): void {
    for (const fetch of this.fetches.values()) fetch.isOutdated = true
  }
}
