import { createCache, type Cache, type CacheOptions } from '@tiercel/core'
import { keepHearing, linkOf, redisTimeOf, toMs, watchPeers, type PeerChange } from '@tiercel/core/connection'
import { familyNames, matcherOf, userOf, type Entry, type Families, type FamilyName } from '../families/index.js'
import { Certainty } from './certainty.js'
import { InvalidationCount } from './invalidation-count.js'
import { canBeTold, readLabels } from './labels.js'
import { Newest } from './newest.js'
import { asItIs, Parcels } from './parcel.js'
import type { Report } from './report.js'
import { everything, SharedFamily } from './shared-family.js'
import { Space } from './space.js'

export interface SharingOptions extends CacheOptions {
  readonly name: string
}

const CLOSING_MS = 2000
const LISTENING_MS = 1000
const DEFAULT_CONNECT_MS = 5000

/**
 * Brings Redis to a memory that cannot wait for it. Writes and invalidations leave here in the background, in the order in which they were made; what others store comes in
 * before anybody asks for it.
 */
export class Sharing {
  /** Resolves when the newest values are here; when Redis cannot be reached, once a connection should have been there. */
  readonly ready: Promise<void>
  readonly #root: Cache
  readonly #count: InvalidationCount
  readonly #certainty: Certainty
  readonly #shared: Readonly<Record<FamilyName, SharedFamily>>
  readonly #byPath: ReadonlyMap<string, SharedFamily>
  readonly #listening: NodeJS.Timeout
  #isReady = () => {}
  #hasMissed = false
  #readsSeen = 0

  constructor({ codec, ...options }: SharingOptions, families: Families, report: Report) {
    // Its own memory stays empty: the families are the memory.
    this.#root = createCache({ ...options, codec: asItIs, memory: { maxEntries: 1 } })
    const link = linkOf(this.#root)
    if (link === undefined) throw new TypeError('Sharing needs Redis')
    const base = `${options.prefix ?? ''}${this.#root.name}`
    const context = {
      link,
      count: (this.#count = new InvalidationCount(link, `${base}:1:invalidations`)),
      certainty: (this.#certainty = new Certainty(link, {
        makeSure: () => this.#makeSure(),
        catchUp: () => this.#catchUp(),
        settled: () => this.#settled(),
      })),
      parcels: new Parcels(codec),
      tellsValues: options.encryption === undefined,
      now: () => redisTimeOf(this.#root),
      report: (error: unknown) => {
        // What breaks off because of the closing is no trouble.
        if (link.state !== 'closed') report(error)
      },
    }
    const share = (name: FamilyName) => {
      const newest = new Newest(link, `${base}:${name}:1:newest`, families[name].maxSize)
      return new SharedFamily(new Space(this.#root.namespace(name), families[name], newest, userOf[name]), context)
    }
    this.#shared = { search: share('search'), recommendation: share('recommendation'), analytics: share('analytics'), chat: share('chat') }
    this.#byPath = new Map(this.#each.map((shared) => [shared.space.cache.name, shared]))
    this.ready = new Promise((resolve) => (this.#isReady = resolve))
    setTimeout(() => this.#isReady(), toMs(options.connectTimeout ?? DEFAULT_CONNECT_MS, 'connectTimeout')).unref()
    watchPeers(this.#root, { onChange: (change) => this.#onChange(change), onFlush: () => this.#onFlush() })
    this.#root.on('error', ({ error }) => context.report(error))
    this.#root.on('state', ({ status }) => {
      if (status !== 'connected') this.#onLost()
    })
    const reads = () => familyNames.reduce((sum, name) => sum + families[name].reads, 0)
    this.#listening = setInterval(() => {
      if (reads() !== this.#readsSeen) keepHearing(this.#root)
      this.#readsSeen = reads()
    }, LISTENING_MS)
    this.#listening.unref()
  }

  /**
   * Takes a value for Redis, as it is at this moment. Gives what the value is called, empty when it stays in this process, and a promise that is resolved once Redis has it, or is
   * known to be away.
   */
  write(name: FamilyName, key: string, value: unknown, ttlMs: number): { readonly version: string; readonly told: Promise<unknown> } {
    return this.#shared[name].write(key, value, ttlMs)
  }

  /** Somebody asked for what is not here, and did not wait. */
  miss(name: FamilyName, key: string): void {
    this.#shared[name].miss(key)
  }

  /** As `miss`, for somebody who waits. Gives what was found, which memory may have lost again to what was found after it. */
  read(name: FamilyName, key: string): Promise<Entry | undefined> {
    return this.#shared[name].read(key)
  }

  /** All values of a family, here and everywhere. What this process holds is dropped by the caller. */
  invalidateAll(name: FamilyName): Promise<void> {
    return this.#shared[name].invalidate({ all: true }, everything)
  }

  async invalidateUser(name: 'recommendation' | 'analytics', user: string): Promise<void> {
    // Of one who cannot be named nothing is shared.
    if (canBeTold(user)) await this.#shared[name].invalidate({ user }, this.#shared[name].space.isOf(user))
  }

  invalidatePattern(name: FamilyName, pattern: string): Promise<void> {
    // Too long to be told is too much to be remembered.
    return canBeTold(pattern) ? this.#shared[name].invalidate({ pattern }, matcherOf(pattern)) : this.invalidateAll(name)
  }

  /** Loads the newest values there are. */
  async load(): Promise<void> {
    await this.#certainty.whenSure(() => this.#compare(false))
  }

  /** Resolves when Redis has been given, or told, everything from before; at once while it is away. */
  async flush(): Promise<void> {
    await this.#certainty.whenSure(async () => {
      await Promise.all(this.#each.flatMap(({ teller, sender }) => [...teller.outcomes, ...sender.writes.outcomes]))
      await Promise.all(this.#each.map(({ sender }) => sender.forget()))
    })
  }

  /** Gives Redis what it has not been given yet, if it takes it in time. */
  async close(): Promise<void> {
    clearInterval(this.#listening)
    await Promise.race([this.flush(), pause(CLOSING_MS)])
    this.#certainty.lose()
    await this.#root.close()
    this.#isReady()
  }

  get #each(): readonly SharedFamily[] {
    return Object.values(this.#shared)
  }

  #onLost(): void {
    this.#certainty.lose()
    for (const shared of this.#each) shared.release()
  }

  #onFlush(): void {
    for (const { fetcher } of this.#each) fetcher.forget()
    this.#certainty.doubt()
  }

  #onChange(change: PeerChange): void {
    const shared = this.#byPath.get(change.namespace)
    // Above the families nobody invalidates but a process that found Redis restarted: what Redis holds is in doubt then, not what is here.
    if (shared === undefined) return
    for (const count of readLabels(change.tags).counts) this.#count.heard(count)
    shared.onChange(change)
  }

  async #makeSure(): Promise<void> {
    this.#hasMissed = (await this.#count.hasMissed()) || this.#hasMissed
    if (this.#hasMissed) for (const { sender } of this.#each) sender.writes.forgetEach()
    const areTold = await Promise.all(this.#each.map(({ teller }) => teller.tellAll()))
    if (areTold.includes(false)) throw new Error('Not everything could be told')
  }

  async #catchUp(): Promise<void> {
    for (const { sender } of this.#each) sender.pump()
    await this.#compare(this.#hasMissed)
  }

  #settled(): void {
    this.#hasMissed = false
    this.#isReady()
  }

  async #compare(dropsAbsent: boolean): Promise<void> {
    await Promise.all(this.#each.map((shared) => shared.compare(dropsAbsent)))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
