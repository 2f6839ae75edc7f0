import { createCache, type Cache, type CacheOptions } from '@tiercel/core'
import { evictFromRedis, keepHearing, linkOf, redisTimeOf, setLater, toMs, watchPeers, type PeerChange, type RedisLink } from '@tiercel/core/connection'
import { familyNames, matcherOf, userOf, type Families, type FamilyName } from '../families/index.js'
import { InvalidationCount } from './invalidation-count.js'
import { canBeShared, canBeTold, countLabel, patternLabel, readLabels, userLabel } from './labels.js'
import { Newest } from './newest.js'
import { Outcome } from './outcome.js'
import { asItIs, Parcels, type Parcel } from './parcel.js'
import { Space, type Fetch } from './space.js'
import type { Write } from './writes.js'

export interface SharingOptions extends CacheOptions {
  readonly name: string
}

/** Somebody to tell of what no caller is told of. */
export type Report = (error: unknown) => void

/** An invalidation that others have not been told of. */
interface Telling {
  readonly space: Space
  readonly all?: boolean
  readonly user?: string
  readonly pattern?: string
  /** What the counter was raised to for it: at each try. */
  readonly counts: string[]
  readonly outcome: Outcome
}

const MOST_SENT_AT_ONCE = 32
/** More invalidations than these, untold, become "everything". */
const MOST_OWED = 1000
const MOST_COUNTS = 16
/** Larger values are fetched by those who want them. */
const LARGEST_TOLD = 16_384
const MOST_TRIES = 3
const RETRY_MS = 100
const CLOSING_MS = 2000
const LISTENING_MS = 1000
const DEFAULT_CONNECT_MS = 5000
/** The longest TTL of a cache. */
const LONGEST_MS = 3650 * 86_400_000

/**
 * Brings Redis to a memory that cannot wait for it. Writes and invalidations leave here in the background, in the order in which they were made; what others store comes in
 * before anybody asks for it.
 *
 * Nothing is sent or fetched while it is not certain that all invalidations were heard (`#isSure`): at the beginning, in an outage, after a gap in the messages. Then `#settle`
 * finds out whether one was missed, tells what others have not heard from here, and compares what is here with what Redis has.
 */
export class Sharing {
  /** Resolves when the newest values are here; when Redis cannot be reached, once a connection should have been there. */
  readonly ready: Promise<void>
  readonly #root: Cache
  readonly #link: RedisLink
  readonly #count: InvalidationCount
  readonly #parcels: Parcels
  readonly #spaces: Readonly<Record<FamilyName, Space>>
  readonly #byPath: ReadonlyMap<string, Space>
  readonly #report: Report
  readonly #listening: NodeJS.Timeout
  /** Messages are not encrypted. */
  readonly #tellsValues: boolean
  #isReady = () => {}
  #isSure = false
  /** Counts up whenever something may have been missed. */
  #round = 0
  #hasMissed = false
  #settling: Promise<void> | undefined
  #telling: Promise<boolean> | undefined
  #owed: Telling[] = []
  #readsSeen = 0

  constructor({ codec, ...options }: SharingOptions, families: Families, report: Report) {
    // What breaks off because of the closing is no trouble.
    this.#report = (error) => {
      if (this.#link.state !== 'closed') report(error)
    }
    this.#parcels = new Parcels(codec)
    this.#tellsValues = options.encryption === undefined
    // Its own memory stays empty: the families are the memory.
    this.#root = createCache({ ...options, codec: asItIs, memory: { maxEntries: 1 } })
    const link = linkOf(this.#root)
    if (link === undefined) throw new TypeError('Sharing needs Redis')
    this.#link = link
    const base = `${options.prefix ?? ''}${this.#root.name}`
    this.#count = new InvalidationCount(link, `${base}:1:invalidations`)
    const open = (name: FamilyName) =>
      new Space(this.#root.namespace(name), families[name], new Newest(link, `${base}:${name}:1:newest`, families[name].maxSize), userOf[name])
    this.#spaces = { search: open('search'), recommendation: open('recommendation'), analytics: open('analytics'), chat: open('chat') }
    this.#byPath = new Map(familyNames.map((name) => [this.#spaces[name].cache.name, this.#spaces[name]]))
    this.ready = new Promise((resolve) => (this.#isReady = resolve))
    setTimeout(() => this.#isReady(), toMs(options.connectTimeout ?? DEFAULT_CONNECT_MS, 'connectTimeout')).unref()
    watchPeers(this.#root, { onChange: (change) => this.#onChange(change), onFlush: () => this.#onFlush() })
    this.#root.on('error', ({ error }) => this.#report(error))
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
  write(name: FamilyName, key: string, value: unknown, ttlMs: number): { readonly version: string; readonly told: Promise<void> } {
    const space = this.#spaces[name]
    space.overtakeFetch(key)
    if (!this.#canBeShared(space, key)) return { version: '', told: Promise.resolve() }
    const parcel = ttlMs > 0 ? this.#pack(value) : undefined
    queueMicrotask(() => this.#pump(space))
    if (parcel === undefined) {
      space.writes.forget(key)
      return { version: '', told: this.#whenReached(() => this.#forget(space)) }
    }
    const write = space.writes.add(key, parcel, performance.now() + ttlMs)
    return { version: this.#parcels.versionOf(parcel), told: this.#whenReached(() => write.outcome.promise) }
  }

  /** Somebody asked for what is not here, and did not wait. */
  miss(name: FamilyName, key: string): void {
    const space = this.#spaces[name]
    const { fetches, absent, family } = space
    if (!this.#isSure || absent.has(key) || !this.#canBeShared(space, key)) return
    if (fetches.has(key) || fetches.size < family.maxSize) void this.#fetch(space, key, true, false)
  }

  /** As `miss`, for somebody who waits. */
  async read(name: FamilyName, key: string): Promise<void> {
    const space = this.#spaces[name]
    if (!this.#canBeShared(space, key)) return
    await this.#whenReached(() => this.#fetch(space, key, true, false))
  }

  /** All values of a family, here and everywhere. What this process holds is dropped by the caller. */
  async invalidateAll(name: FamilyName): Promise<void> {
    const space = this.#spaces[name]
    space.writes.revoke(() => true)
    space.cancelFetches()
    await this.#tell({ space, all: true })
  }

  async invalidateUser(name: 'recommendation' | 'analytics', user: string): Promise<void> {
    const space = this.#spaces[name]
    space.writes.revoke((key) => space.userOf?.(key) === user)
    space.cancelFetches()
    if (canBeTold(user)) await this.#tell({ space, user })
  }

  async invalidatePattern(name: FamilyName, pattern: string): Promise<void> {
    const space = this.#spaces[name]
    // Too long to be told is too much to be remembered.
    if (!canBeTold(pattern)) return this.invalidateAll(name)
    space.writes.revoke(matcherOf(pattern))
    space.cancelFetches()
    await this.#tell({ space, pattern })
  }

  /** Loads the newest values there are. */
  async load(): Promise<void> {
    await this.#whenReached(() => this.#compare(false))
  }

  /** Resolves when Redis has been given, or told, everything from before; at once while it is away. */
  async flush(): Promise<void> {
    await this.#whenReached(async () => {
      const spaces = Object.values(this.#spaces)
      await Promise.all([
        ...this.#owed.map(({ outcome }) => outcome.promise),
        ...spaces.flatMap(({ writes }) => [...writes.waiting.values(), ...writes.sending.values()].map(({ outcome }) => outcome.promise)),
      ])
      await Promise.all(spaces.map((space) => this.#forget(space)))
    })
  }

  /** Gives Redis what it has not been given yet, if it takes it in time. */
  async close(): Promise<void> {
    clearInterval(this.#listening)
    await Promise.race([this.flush(), pause(CLOSING_MS)])
    this.#isSure = false
    await this.#root.close()
    this.#isReady()
  }

  #canBeShared({ userOf: owner }: Space, key: string): boolean {
    return canBeShared(key) && (owner === undefined || canBeTold(owner(key)))
  }

  #pack(value: unknown): Buffer | undefined {
    try {
      return this.#parcels.pack(value)
    } catch (error) {
      this.#report(error)
      return undefined
    }
  }

  /** Does what needs Redis, after the first connection if there was none yet; nothing while it is away. */
  async #whenReached(work: () => Promise<unknown> | undefined): Promise<void> {
    if (this.#link.state === 'connecting') await this.#link.ready()
    if (!this.#isSure) await this.#settling
    if (this.#isSure) await work()
  }

  /** Nobody is to wait for a Redis that is away. */
  #release(): void {
    for (const { outcome } of this.#owed) outcome.release()
    for (const { writes } of Object.values(this.#spaces)) for (const { outcome } of writes.waiting.values()) outcome.release()
  }

  // What others do ---------------------------------------------------------------------------------------------------------------------------------------

  #onLost(): void {
    this.#isSure = false
    this.#release()
  }

  /** Something may have been missed. An outage ends so, too. */
  #onFlush(): void {
    this.#round++
    this.#isSure = false
    for (const space of Object.values(this.#spaces)) {
      space.cancelFetches()
      space.absent.clear()
    }
    this.#settle()
  }

  #onChange({ namespace, keys, tags, pattern, note, all }: PeerChange): void {
    const space = this.#byPath.get(namespace)
    // Above the families nobody invalidates but a process that found Redis restarted: what Redis holds is in doubt then, not what is here.
    if (space === undefined) return
    const { family, writes } = space
    const { users, patterns, counts } = readLabels(tags)
    for (const count of counts) this.#count.heard(count)
    if (all) {
      family.clear()
      writes.revoke(() => true)
    }
    for (const user of users) {
      family.deleteUser(user)
      writes.revoke((key) => space.userOf?.(key) === user)
    }
    for (const matches of [...patterns, ...(pattern === undefined ? [] : [pattern])].map(matcherOf)) {
      family.deleteWhere(matches)
      writes.revoke(matches)
    }
    if (all || tags.length > 0 || pattern !== undefined) space.outdateFetches()
    for (const key of keys) this.#onStored(space, key, note)
  }

  /** Another process has stored a value, or dropped one that it has no room for or could not encode. */
  #onStored(space: Space, key: string, note: string | undefined): void {
    const { writes, fetches, absent, family } = space
    absent.delete(key)
    const write = writes.of(key)
    const fetch = fetches.get(key)
    if (write !== undefined) {
      write.contested = true
    } else if (fetch !== undefined) {
      fetch.isOutdated = true
      fetch.dropsAbsent = true
    } else if (note !== undefined && this.#isSure) {
      const parcel = this.#parcels.unpack(Buffer.from(note, 'base64'))
      if (parcel !== undefined) this.#receive(space, key, parcel, false)
    } else if (fetches.size < family.maxSize) {
      if (this.#isSure) void this.#fetch(space, key, false, true)
    } else {
      family.delete(key)
    }
  }

  // Coming and going back to certainty ------------------------------------------------------------------------------------------------------------------

  #settle(): void {
    this.#settling ??= this.#settleUntilSure().finally(() => (this.#settling = undefined))
  }

  async #settleUntilSure(): Promise<void> {
    while (this.#link.state === 'up') {
      const round = this.#round
      try {
        this.#hasMissed = (await this.#count.hasMissed()) || this.#hasMissed
        if (this.#hasMissed) this.#forgetWaiting()
        if (!(await this.#tellOwed())) throw new Error('untold')
      } catch {
        await pause(RETRY_MS)
        continue
      }
      if (round !== this.#round) continue
      this.#isSure = true
      Object.values(this.#spaces).forEach((space) => this.#pump(space))
      await this.#compare(this.#hasMissed)
      if (round !== this.#round) continue
      this.#hasMissed = false
      this.#isReady()
      return
    }
  }

  /** An invalidation that was missed may be later than what waits here. */
  #forgetWaiting(): void {
    for (const { writes } of Object.values(this.#spaces)) for (const key of writes.waiting.keys()) writes.forget(key)
  }

  /** Brings what is here and what Redis has together, and the newest of what Redis has into memory. */
  async #compare(dropsAbsent: boolean): Promise<void> {
    await Promise.all(
      Object.values(this.#spaces).map(async (space) => {
        const newest = await space.newest.list().catch((): string[] => [])
        const held = space.family.keys().filter((key) => this.#canBeShared(space, key) || dropsAbsent)
        // The newest comes last, so that it leaves last.
        const keys = new Set([...held, ...newest.reverse()])
        await Promise.all([...keys].filter((key) => space.writes.of(key) === undefined).map((key) => this.#fetch(space, key, false, dropsAbsent)))
      }),
    )
  }

  // Telling ----------------------------------------------------------------------------------------------------------------------------------------------

  async #tell(what: Pick<Telling, 'space' | 'all' | 'user' | 'pattern'>): Promise<void> {
    const telling: Telling = { ...what, counts: [], outcome: new Outcome() }
    this.#owed.push(telling)
    if (this.#owed.length > MOST_OWED) this.#oweEverything()
    await this.#whenReached(() => {
      void this.#tellOwed()
      return telling.outcome.promise
    })
  }

  #oweEverything(): void {
    for (const { outcome } of this.#owed) outcome.settle()
    this.#owed = Object.values(this.#spaces).map((space) => ({ space, all: true, counts: [], outcome: new Outcome() }))
  }

  /** Tells everything that is owed, in order. Resolves to whether all of it was told. */
  #tellOwed(): Promise<boolean> {
    this.#telling ??= this.#tellEach().finally(() => (this.#telling = undefined))
    return this.#telling
  }

  async #tellEach(): Promise<boolean> {
    for (let next = this.#owed[0]; next !== undefined; next = this.#owed[0]) {
      try {
        await this.#tellOne(next)
      } catch (error) {
        this.#report(error)
        // While Redis is away, settling is going to come back to it.
        if (this.#isSure && this.#link.state === 'up') setTimeout(() => void this.#tellOwed(), RETRY_MS).unref()
        return false
      }
      if (this.#owed[0] === next) this.#owed.shift()
      next.outcome.settle()
    }
    if (this.#isSure) Object.values(this.#spaces).forEach((space) => this.#pump(space))
    return true
  }

  async #tellOne({ space, all = false, user, pattern, counts }: Telling): Promise<void> {
    counts.push(await this.#count.next())
    if (counts.length > MOST_COUNTS) counts.shift()
    const tags = counts.map(countLabel)
    if (user !== undefined) tags.push(userLabel(user))
    if (pattern !== undefined) tags.push(patternLabel(pattern))
    const { durable } = await space.cache.invalidate({ all, tags })
    if (durable && pattern !== undefined) await this.#sweep(space, pattern)
    if (!durable) throw new Error('An invalidation could not be told; it is told again')
    for (const count of counts) this.#count.heard(count)
  }

  /** All have been told by now: whoever stores a key that matches does so after the invalidation, or has it in the index. */
  async #sweep(space: Space, pattern: string): Promise<void> {
    const matching = (await space.newest.listAll()).filter(matcherOf(pattern))
    if (matching.length > 0 && !(await space.cache.deleteMany(matching)).durable) throw new Error('A pattern could not be swept; it is swept again')
  }

  // Writing ----------------------------------------------------------------------------------------------------------------------------------------------

  #pump(space: Space): void {
    const { writes } = space
    if (!this.#isSure || this.#owed.length > 0 || space.forgetting !== undefined) return
    if (writes.hasToForget) {
      void this.#forget(space)
      return
    }
    const batch: Write[] = []
    const most = Math.min(MOST_SENT_AT_ONCE, space.family.maxSize)
    for (let write = writes.sending.size < most ? writes.take() : undefined; write !== undefined; write = writes.sending.size < most ? writes.take() : undefined) batch.push(write)
    if (batch.length === 0) return
    void this.#send(space, batch)
  }

  async #send(space: Space, batch: readonly Write[]): Promise<void> {
    const round = this.#round
    // It is sent before the values: whoever sweeps by the index finds every value that is there.
    const noted = space.newest.add(batch.map(({ key }) => key), redisTimeOf(this.#root)).catch(this.#report)
    const areStored = await Promise.all(batch.map((write) => this.#store(space, write)))
    await noted
    await this.#trim(space, batch.filter((_, i) => areStored[i]))
    batch.forEach((write, i) => this.#end(space, write, areStored[i] === true, round))
    this.#pump(space)
  }

  async #store(space: Space, write: Write): Promise<boolean> {
    const { key, parcel, deadline } = write
    const ms = deadline - performance.now()
    if (ms <= 0) return false
    this.#parcels.address(parcel, redisTimeOf(this.#root) + ms)
    const options = { ttl: Math.min(Math.ceil(ms), LONGEST_MS), tags: this.#tagsOf(space, key) }
    const note = this.#tellsValues && parcel.length <= LARGEST_TOLD ? parcel.toString('base64') : undefined
    try {
      return await setLater(space.cache, key, parcel, options, { holds: () => write.state === 'valid' && this.#isSure, note, guard: this.#count.guard })
    } catch (error) {
      this.#report(error)
      return false
    }
  }

  async #trim(space: Space, stored: readonly Write[]): Promise<void> {
    if (stored.length === 0) return
    const now = performance.now()
    const keptMs = Math.max(...stored.map(({ deadline }) => Math.min(Math.max(deadline - now, 1), LONGEST_MS)))
    try {
      void evictFromRedis(space.cache, await space.newest.trim(keptMs))
    } catch (error) {
      this.#report(error)
    }
  }

  #end(space: Space, write: Write, isStored: boolean, round: number): void {
    const { writes } = space
    const { key, deadline } = write
    writes.sending.delete(key)
    const hasEnded = deadline <= performance.now()
    const isCutShort = !isStored && !hasEnded && (this.#link.state !== 'up' || round !== this.#round)
    if (isCutShort && writes.again(write)) {
      write.outcome.release()
      return
    }
    if (!writes.waiting.has(key)) {
      // Revoked on its last steps, or at its end before it was sent: then Redis may hold an older one.
      if (isStored ? write.state === 'revoked' : hasEnded) writes.forget(key)
      if (write.contested && this.#isSure) void this.#fetch(space, key, false, true)
    }
    write.outcome.settle()
  }

  #tagsOf({ userOf: owner }: Space, key: string): string[] {
    return owner === undefined ? [] : [userLabel(owner(key))]
  }

  /** Makes Redis forget the keys whose values it will not be given. */
  #forget(space: Space): Promise<void> {
    if (space.forgetting !== undefined) return space.forgetting
    if (!space.writes.hasToForget) return Promise.resolve()
    const forgotten = space.writes.takeForgotten()
    // When Redis cannot be told, the cache tells it before anything is read from it again.
    space.forgetting = this.#makeForget(space, forgotten).finally(() => {
      space.forgetting = undefined
      this.#pump(space)
    })
    return space.forgetting
  }

  async #makeForget(space: Space, forgotten: readonly string[] | 'all'): Promise<void> {
    try {
      await (forgotten === 'all' ? this.#tell({ space, all: true }) : space.cache.deleteMany(forgotten))
    } catch (error) {
      this.#report(error)
    }
  }

  // Fetching ---------------------------------------------------------------------------------------------------------------------------------------------

  #fetch(space: Space, key: string, isWanted: boolean, dropsAbsent: boolean): Promise<void> {
    const underWay = space.fetches.get(key)
    if (underWay !== undefined) {
      underWay.isWanted ||= isWanted
      underWay.dropsAbsent ||= dropsAbsent
      return underWay.done
    }
    const about = { isWanted, dropsAbsent, isOutdated: false, isCancelled: false }
    const fetch: Fetch = Object.assign(about, {
      done: Promise.resolve().then(() => this.#bring(space, key, about)).catch(this.#report).finally(() => {
        if (space.fetches.get(key) === fetch) space.fetches.delete(key)
      }),
    })
    space.fetches.set(key, fetch)
    return fetch.done
  }

  async #bring(space: Space, key: string, fetch: Omit<Fetch, 'done'>): Promise<void> {
    const { family, writes, cache, absent } = space
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      fetch.isOutdated = false
      // What was set or invalidated here comes first.
      await writes.of(key)?.outcome.promise
      if (this.#owed.length > 0) await this.#telling
      if (!this.#isSure || this.#owed.length > 0 || fetch.isCancelled) return
      const before = family.peek(key)
      const parcel = canBeShared(key) ? await cache.get(key, { memory: false, tags: this.#tagsOf(space, key) }) : undefined
      if (fetch.isCancelled || this.#link.state !== 'up') return
      if (fetch.isOutdated) continue
      const found = this.#parcels.unpack(parcel)
      if (found === undefined) {
        absent.set(key, true)
        if (fetch.dropsAbsent) family.delete(key)
      } else if (found.version !== before?.version) {
        this.#receive(space, key, found, fetch.isWanted)
      }
      return
    }
    // It changes faster than it can be read.
    family.delete(key)
  }

  #receive({ family }: Space, key: string, { value, expiresAt, version }: Parcel, isWanted: boolean): void {
    family.receive(key, value, expiresAt - redisTimeOf(this.#root), version, isWanted)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
