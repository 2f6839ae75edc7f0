import type { RedisLink } from '@tiercel/core/connection'
import { LRUCache } from 'lru-cache'
import type { Entry } from '../families/index.js'
import type { Certainty } from './certainty.js'
import type { Parcel, Parcels } from './parcel.js'
import type { Report } from './report.js'
import type { Sender } from './sending.js'
import type { Space } from './space.js'
import type { Teller } from './telling.js'

const MOST_TRIES = 3

/** A read of Redis in the background. */
interface Fetch {
  /** Somebody here asked for the key. */
  isWanted: boolean
  /** What memory holds is known to be too old, or was made here and may be: when Redis has nothing it goes. */
  dropsAbsent: boolean
  /** Something changed elsewhere meanwhile, so that what is read may be from before. */
  isOutdated: boolean
  /** Something changed here meanwhile. */
  isCancelled: boolean
  done: Promise<Entry | undefined>
}

export interface FetcherContext {
  readonly link: RedisLink
  readonly certainty: Certainty
  readonly teller: Teller
  readonly sender: Sender
  readonly parcels: Parcels
  readonly report: Report
  /** By the clock of Redis. */
  now(): number
}

/** Brings values of one family from Redis into memory: each once at a time, however many want it, and none that something newer came before. */
export class Fetcher {
  readonly #space: Space
  readonly #context: FetcherContext
  readonly #fetches = new Map<string, Fetch>()
  /** Keys that Redis had no value of when it was asked, and that nobody has stored since. */
  readonly #absent: LRUCache<string, true>

  constructor(space: Space, context: FetcherContext) {
    this.#space = space
    this.#context = context
    this.#absent = new LRUCache({ max: space.family.maxSize })
  }

  /** As many are under way as the family has room for. */
  get isFull(): boolean {
    return this.#fetches.size >= this.#space.family.maxSize
  }

  isUnderWay(key: string): boolean {
    return this.#fetches.has(key)
  }

  isAbsent(key: string): boolean {
    return this.#absent.has(key)
  }

  /** Gives what memory has then, or had, should there be no room for it. */
  fetch(key: string, { isWanted = false, dropsAbsent = false }: Partial<Pick<Fetch, 'isWanted' | 'dropsAbsent'>>): Promise<Entry | undefined> {
    const underWay = this.#fetches.get(key)
    if (underWay !== undefined) {
      underWay.isWanted ||= isWanted
      underWay.dropsAbsent ||= dropsAbsent
      return underWay.done
    }
    const fetch: Fetch = { isWanted, dropsAbsent, isOutdated: false, isCancelled: false, done: Promise.resolve(undefined) }
    this.#fetches.set(key, fetch)
    fetch.done = this.#run(key, fetch)
    return fetch.done
  }

  receive(key: string, { value, expiresAt, version }: Parcel, isWanted: boolean): Entry | undefined {
    return this.#space.family.receive(key, value, expiresAt - this.#context.now(), version, isWanted)
  }

  /** A value was set here: what is read at this moment is older. */
  overtake(key: string): void {
    this.#absent.delete(key)
    const fetch = this.#fetches.get(key)
    if (fetch === undefined) return
    fetch.isCancelled = true
    this.#fetches.delete(key)
  }

  /** Another process has stored a value of the key. */
  outdate(key: string): void {
    this.#absent.delete(key)
    const fetch = this.#fetches.get(key)
    if (fetch !== undefined) fetch.isOutdated = true
  }

  /** Another process has invalidated something. */
  outdateAll(): void {
    for (const fetch of this.#fetches.values()) fetch.isOutdated = true
  }

  /** Something was invalidated here. */
  cancelAll(): void {
    for (const fetch of this.#fetches.values()) fetch.isCancelled = true
    this.#fetches.clear()
  }

  /** Something may have been missed. */
  forget(): void {
    this.cancelAll()
    this.#absent.clear()
  }

  async #run(key: string, fetch: Fetch): Promise<Entry | undefined> {
    try {
      return await this.#bring(key, fetch)
    } catch (error) {
      this.#context.report(error)
      return undefined
    } finally {
      if (this.#fetches.get(key) === fetch) this.#fetches.delete(key)
    }
  }

  async #bring(key: string, fetch: Fetch): Promise<Entry | undefined> {
    const { family, cache } = this.#space
    const { link, certainty, teller, sender, parcels } = this.#context
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      fetch.isOutdated = false
      // What was set or invalidated here comes first.
      await sender.untilSent(key)
      await teller.underWay
      if (fetch.isCancelled || !certainty.isSure) return undefined
      // It cannot be told for now.
      if (!teller.isEmpty) break
      const before = family.peek(key)
      const parcel = this.#space.canHold(key) ? await cache.get(key, { memory: false, tags: this.#space.tagsOf(key) }) : undefined
      if (fetch.isCancelled || link.state !== 'up') return undefined
      if (fetch.isOutdated) continue
      const found = parcels.unpack(parcel)
      if (found !== undefined) return found.version === before?.version ? before : this.receive(key, found, fetch.isWanted)
      this.#absent.set(key, true)
      break
    }
    // There is nothing, or nobody can say what there is.
    if (fetch.dropsAbsent || fetch.isOutdated) family.delete(key)
    return undefined
  }
}
