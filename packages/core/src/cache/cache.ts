import { ClosedError, InvalidArgumentError } from '../errors/index.js'
import { Batch, copyOf, countRedisHit, find, findForBatch, findMany, look, obtain, renewIfDue, store, storeWatched, touch, watchLoader, type BatchLoader, type Gathering, type Loader, type Scope, type Shared } from '../flight/index.js'
import type { Entry, MemoryStore } from '../memory/index.js'
import { eventNames, isEventName, type Counters, type EventHub, type CacheEventName, type CacheListener, type CacheStats, type ConnectionStatus } from '../observe/index.js'
import { checkKey, namespaceLevels, resolveCall, toMs, type CallOptions, type Duration, type EntryOptions, type Policy } from '../options/index.js'
import { healthOf, type CacheHealth } from './health.js'
import { invalidate, type InvalidationMode } from './invalidation.js'
import type { Namespaces } from './namespaces.js'
import { statsOf } from './stats.js'
import { resolveTarget, type InvalidateResult, type InvalidateTarget } from './target.js'
import { wrapFunction, type WrapOptions, type Wrapped } from './wrap.js'

/** What a cache is made of, for what is built beside it. */
export let scopeOf: (cache: Cache) => Scope

/** Whether it is one, made by this copy of the package: of others we know nothing but what is public. */
export let isCache: (thing: unknown) => boolean

/** What memory has fresh, counted as `get` counts it, for those to whom a promise is too slow. Nothing of a cache that another copy of the package has made. */
export let hitOf: (cache: Cache, key: string) => unknown

/** `getOrSet` for who has just looked into Redis in vain, and need not do so again. */
export let getOrSetAfterLook: (cache: Cache, key: string, loader: Loader<unknown>, options: CallOptions) => Promise<unknown>

/**
 * A cache, or one namespace of it. Made by `createCache` and `namespace`.
 *
 * Methods that return a promise reject with a coded error (`TiercelError`) when they are called wrongly or after `close`, and pass on what
 * a loader throws. Nothing else makes them fail.
 */
export class Cache {
  readonly #scope: Scope
  readonly #shared: Shared
  readonly #memory: MemoryStore
  readonly #namespaces: Namespaces
  readonly #events: EventHub
  readonly #counters: Counters
  readonly #clone: boolean
  readonly #isRoot: boolean

  static {
    scopeOf = (cache) => cache.#scope
    isCache = (thing) => typeof thing === 'object' && thing !== null && #scope in thing
    getOrSetAfterLook = async (cache, key, loader, options) => {
      if (!isCache(cache)) return (cache as Cache).getOrSet(key, loader, options)
      cache.#open()
      checkKey(key)
      return cache.#loadBy({ ...resolveCall(options, cache.#scope.defaults), looked: true }, key, loader)
    }
    hitOf = (cache, key) => {
      const entry = #scope in cache ? cache.#fresh(key) : undefined
      if (entry === undefined) return undefined
      cache.#countHit(key)
      return cache.#served(entry)
    }
  }

  /** @internal */
  constructor(scope: Scope, namespaces: Namespaces) {
    this.#scope = scope
    this.#shared = scope.shared
    this.#memory = scope.shared.memory
    this.#events = scope.shared.events
    this.#counters = scope.counters
    this.#clone = scope.shared.settings.clone
    this.#isRoot = scope.parent === undefined
    this.#namespaces = namespaces
  }

  /** The full path of this namespace, such as `tiercel:users`. */
  get name(): string {
    return this.#scope.path
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#shared.closed
  }

  /**
   * The value of a key: the cached one, or else what `load` gives, which is then kept. Calls for a key that is being loaded wait
   * for that one load.
   *
   * @throws Whatever `load` throws, to all who waited for it, unless a stale value may be served within `grace`.
   * @throws {LoadTimeoutError} after `hardTimeout`.
   * @example
   * const user = await cache.getOrSet(`user:${id}`, () => db.user(id), { ttl: '5m', tags: ['users'] })
   */
  getOrSet<T>(key: string, load: Loader<T>, options?: CallOptions): Promise<T> {
    // The most frequent event of all: no option is resolved and nothing but the promise allocated.
    // `null` too: it is refused where options are resolved.
    if (options === undefined || options === null || (options.bypass === undefined && options.memory !== false && options.signal === undefined)) {
      const entry = this.#entryAt(key)
      if (entry !== undefined) {
        const now = performance.now()
        if (this.#shared.mayServe(entry, now)) {
          this.#countHit(key)
          // The rest is elsewhere: as long as this method is small, V8 makes it part of its callers, whose loader then costs nothing.
          if ((options?.refresh ?? this.#scope.defaults.refresh) !== 0) this.#renewIfDue(key, load as Loader<unknown>, options, entry, now)
          return Promise.resolve(this.#served<T>(entry))
        }
      }
    }
    return this.#load(key, load as Loader<unknown>, options) as Promise<T>
  }

  /**
   * The values of many keys, in the order asked for. Those not cached are loaded in one call of `loadMany`; those that other calls are
   * loading are waited for.
   *
   * @example
   * const users = await cache.getOrSetMany(ids, async (missing) => new Map(await db.users(missing)))
   */
  async getOrSetMany<T>(keys: Iterable<string>, loadMany: BatchLoader<T>, options?: CallOptions): Promise<Map<string, T>> {
    if (typeof loadMany !== 'function') throw new InvalidArgumentError('getOrSetMany takes a function that loads the missing keys')
    this.#open()
    // Once for all, and before anything is begun: bad options must not leave half of the keys waiting for the others.
    const policy = resolveCall(options, this.#scope.defaults)
    const unique = [...listOf(keys, 'keys')]
    unique.forEach((key) => checkKey(key))
    const batch = new Batch(watchLoader(this.#scope, loadMany), unique)
    const loads = Promise.all(unique.map((key) => this.#loadBy(policy, key, batch.loader(key) as Loader<unknown>, batch.gathering(key)) as Promise<T>))
    findForBatch(this.#scope, batch, policy, loads)
    const values = await loads
    const found = new Map<string, T>()
    values.forEach((value, i) => {
      if (value !== undefined) found.set(unique[i] as string, value)
    })
    return found
  }

  /** The cached value, or `undefined`. */
  get<T = unknown>(key: string, options?: CallOptions): Promise<T | undefined> {
    const entry = options === undefined ? this.#fresh(key) : undefined
    if (entry === undefined) return this.#read(key, options)
    this.#countHit(key)
    return Promise.resolve(this.#served<T>(entry))
  }

  /** The cached values among `keys`, in the order asked for. */
  async getMany<T = unknown>(keys: Iterable<string>, options?: CallOptions): Promise<Map<string, T>> {
    this.#open()
    const unique = [...listOf(keys, 'keys')]
    const values = await (this.#events.operations.wanted ? this.#readMany<T>(unique, options) : Promise.all(unique.map((key) => this.get<T>(key, options))))
    const found = new Map<string, T>()
    values.forEach((value, i) => {
      if (value !== undefined) found.set(unique[i] as string, value)
    })
    return found
  }

  /** The value in the memory of this process, or `undefined`. Synchronous; counts neither as a hit nor as use. */
  peek<T = unknown>(key: string): T | undefined {
    const entry = typeof key === 'string' ? this.#memory.peek(this.#locate(key)) : undefined
    if (entry === undefined) return undefined
    if (this.#shared.mayServe(entry, performance.now())) return this.#served<T>(entry)
    this.#shared.remote?.wake()
    return undefined
  }

  /**
   * Keeps a value. Loads of the key that are under way keep nothing any more.
   *
   * @returns Whether it was kept. `undefined`, what cannot be encoded, anything with a TTL of 0, and what the options keep out of every tier are not: the key is then empty.
   */
  async set(key: string, value: unknown, options?: CallOptions): Promise<boolean> {
    this.#open()
    checkKey(key)
    const policy = resolveCall(options, this.#scope.defaults)
    return (await storeWatched(this.#scope, 1, policy, () => store(this.#scope, [[key, value]], policy))) === 1
  }

  /** Keeps many values. Resolves to how many were kept. */
  async setMany(entries: Iterable<readonly [key: string, value: unknown]>, options?: CallOptions): Promise<number> {
    this.#open()
    const policy = resolveCall(options, this.#scope.defaults)
    const pairs = [...listOf(entries, 'entries')]
    for (const pair of pairs) {
      if (!Array.isArray(pair) || pair.length < 2) throw new InvalidArgumentError('setMany takes [key, value] pairs')
      checkKey(pair[0])
    }
    // Of several values for one key the last one counts.
    const last = [...new Map(pairs)]
    return storeWatched(this.#scope, last.length, policy, () => store(this.#scope, last, policy))
  }

  /** Whether there is a fresh value. */
  async has(key: string): Promise<boolean> {
    this.#open()
    checkKey(key)
    return this.#fresh(key) !== undefined || find(this.#scope, key, this.#scope.defaults, (found) => found !== undefined)
  }

  /** Milliseconds until the value is stale, or `undefined` when there is no fresh one. */
  async ttl(key: string): Promise<number | undefined> {
    this.#open()
    checkKey(key)
    const entry = this.#fresh(key)
    if (entry !== undefined) return entry.staleAt - Math.floor(performance.now())
    return find(this.#scope, key, this.#scope.defaults, (found) => found && found.staleAt - Math.floor(performance.now()))
  }

  /** Gives a fresh value a new TTL from now on: this one, or the default. Resolves to whether there was one. */
  async touch(key: string, ttl?: Duration): Promise<boolean> {
    this.#open()
    checkKey(key)
    const ms = ttl === undefined ? this.#scope.defaults.ttl : toMs(ttl, 'ttl')
    if (ms > 0) return touch(this.#scope, key, ms)
    const existed = await this.has(key)
    await this.#invalidate({ key }, 'invalidate')
    return existed
  }

  /** As `invalidate({ key })`. */
  async delete(key: string): Promise<InvalidateResult> {
    return this.#invalidate({ key }, 'invalidate')
  }

  /** As `invalidate({ keys })`. */
  async deleteMany(keys: Iterable<string>): Promise<InvalidateResult> {
    return this.#invalidate({ keys }, 'invalidate')
  }

  /**
   * Forgets values by key, tag, room or pattern, or all of them. No call that begins later is served one of them, and no load that is under way
   * keeps what it gives.
   *
   * @throws {InvalidTargetError} when nothing is named.
   * @example
   * await cache.invalidate({ room: 'lobby', tags: ['messages'] })
   */
  async invalidate(target: InvalidateTarget): Promise<InvalidateResult> {
    return this.#invalidate(target, 'invalidate')
  }

  /** As `invalidate({ room })`. */
  async invalidateRoom(room: string): Promise<InvalidateResult> {
    return this.#invalidate({ room }, 'invalidate')
  }

  /** As `invalidate({ tag })`. */
  async invalidateTag(tag: string): Promise<InvalidateResult> {
    return this.#invalidate({ tag }, 'invalidate')
  }

  /** As `invalidate({ pattern })`. */
  async invalidatePattern(pattern: string): Promise<InvalidateResult> {
    return this.#invalidate({ pattern }, 'invalidate')
  }

  /** As `invalidate`, but the old values may still be served as grace should the next load fail, and are `ctx.stale` to it. */
  async expire(target: InvalidateTarget): Promise<InvalidateResult> {
    return this.#invalidate(target, 'expire')
  }

  /**
   * The same cache one level down: keys, tags, rooms and figures of its own, in the same memory. The same object for the same name.
   * `invalidate({ all: true })` here reaches it too.
   *
   * @param options Defaults for its calls, over those of this level. They can be given once.
   */
  namespace(name: string, options?: EntryOptions): Cache {
    this.#open()
    return this.#namespaces.open(namespaceLevels(name, this.#scope.levels), options)
  }

  /**
   * A function that caches what `fn` returns, by the key its arguments give.
   *
   * @example
   * const user = cache.wrap((id: string) => db.user(id), { key: (id) => `user:${id}`, ttl: '5m' })
   * await user('1')
   * await user.invalidate('1')
   */
  wrap<F extends (...args: never[]) => unknown>(fn: F, options: WrapOptions<Parameters<F>>): Wrapped<Parameters<F>, Awaited<ReturnType<F>>> {
    return wrapFunction(this, fn as (...args: Parameters<F>) => ReturnType<F>, options, (fixed) => resolveCall(fixed, this.#scope.defaults))
  }

  /** Counters since the cache was made: of this namespace and those below it. */
  stats(): CacheStats {
    return statsOf(this.#scope)
  }

  /** How the cache is doing, without asking anybody. */
  health(): CacheHealth {
    return healthOf(this.#shared)
  }

  /** `'memory-fallback'` while everything is kept in this process, `'disconnected'` once closed. */
  getConnectionStatus(): ConnectionStatus {
    return this.#shared.status
  }

  /** Resolves when Redis can be reached, or the first deadline has passed without it. In memory it is at once. */
  async ready(): Promise<void> {
    this.#open()
    await this.#shared.remote?.ready()
  }

  /**
   * Calls `listener` at every `event` of this namespace and those below it. What a listener throws is reported as an `error` event.
   *
   * @returns A function that ends it.
   */
  on<Name extends CacheEventName>(event: Name, listener: CacheListener<Name>): () => void {
    checkEvent(event)
    if (typeof listener !== 'function') throw new InvalidArgumentError('A listener is a function')
    return this.#shared.events.listen(event, this.#scope.path, listener)
  }

  /** Ends what `on` began. */
  off<Name extends CacheEventName>(event: Name, listener: CacheListener<Name>): void {
    checkEvent(event)
    this.#shared.events.unlisten(event, this.#scope.path, listener)
  }

  /**
   * Gives everything back. Loads under way are told by their signal; whoever waits for them still gets what they give. Later calls reject.
   * A namespace has nothing of its own to close: close the cache.
   */
  async close(): Promise<void> {
    if (this.#scope.parent !== undefined || this.#shared.closed) return
    await this.#shared.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #open(): void {
    if (this.#shared.closed) throw new ClosedError('The cache was closed. Make a new one, or close it later')
  }

  // As the scope does it, without a call for nearly all keys of nearly all caches.
  #locate(key: string): string {
    return this.#isRoot && key.charCodeAt(0) > 0 ? key : this.#scope.locate(key)
  }

  #entryAt(key: string): Entry | undefined {
    return typeof key === 'string' ? this.#memory.get(this.#locate(key)) : undefined
  }

  #fresh(key: string): Entry | undefined {
    const entry = this.#entryAt(key)
    return entry !== undefined && this.#shared.mayServe(entry, performance.now()) ? entry : undefined
  }

  #served<T>(entry: Entry): T {
    return (this.#clone ? copyOf(entry.value) : entry.value) as T
  }

  #countHit(key: string): void {
    this.#counters.countMemoryHit()
    if (this.#events.hit.wanted) this.#events.emit('hit', { namespace: this.#scope.path, key, tier: 'memory' })
  }

  #countMiss(key: string): void {
    this.#counters.add('misses')
    if (this.#events.miss.wanted) this.#events.emit('miss', { namespace: this.#scope.path, key })
  }

  #read<T>(key: string, options: CallOptions | undefined, search = find): Promise<T | undefined> {
    try {
      this.#open()
      checkKey(key)
      const policy = resolveCall(options, this.#scope.defaults)
      const entry = policy.read && policy.memory ? this.#fresh(key) : undefined
      if (entry === undefined) return search(this.#scope, key, policy, (found) => this.#foundInRedis<T>(key, found))
      this.#countHit(key)
      return Promise.resolve(this.#served<T>(entry))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #readMany<T>(keys: readonly string[], options: CallOptions | undefined): Promise<(T | undefined)[]> {
    const policy = resolveCall(options, this.#scope.defaults)
    const missing = policy.memory ? keys.filter((key) => this.#fresh(key) === undefined) : keys
    return findMany(this.#scope, missing.length, policy, () => Promise.all(keys.map((key) => this.#read<T>(key, options, look))))
  }

  #foundInRedis<T>(key: string, found: { readonly value: unknown } | undefined): T | undefined {
    if (found === undefined) this.#countMiss(key)
    else countRedisHit(this.#scope, key)
    return found?.value as T | undefined
  }

  #load(key: string, loader: Loader<unknown>, options: CallOptions | undefined): Promise<unknown> {
    try {
      this.#open()
      const policy = resolveCall(options, this.#scope.defaults)
      checkKey(key)
      if (typeof loader !== 'function') throw new InvalidArgumentError('getOrSet takes a function that loads the value')
      return this.#loadBy(policy, key, loader)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #loadBy(policy: Policy, key: string, loader: Loader<unknown>, gathering?: Gathering): Promise<unknown> {
    policy.signal?.throwIfAborted()
    const location = this.#scope.locate(key)
    const previous = policy.read && policy.memory ? this.#memory.get(location) : undefined
    const load = { scope: this.#scope, key, location, policy, loader, previous, gathering }
    if (previous === undefined) return obtain(load)
    const now = performance.now()
    if (!this.#shared.mayServe(previous, now)) return obtain(load)
    this.#countHit(key)
    renewIfDue(load, previous, now)
    return Promise.resolve(this.#served(previous))
  }

  #renewIfDue(key: string, loader: Loader<unknown>, options: CallOptions | undefined, entry: Entry, now: number): void {
    const refresh = options?.refresh ?? this.#scope.defaults.refresh
    // Options are resolved only in the last part of the TTL.
    if (now < entry.staleAt - (1 - refresh) * entry.ttl) return
    const location = this.#scope.locate(key)
    // Asked before options are resolved: while a renewal is under way, or put off, every hit comes by here.
    if (entry.loadsPostponed(now) || this.#shared.flights.joinable(location, true) !== undefined) return
    let policy: Policy
    try {
      policy = resolveCall(options, this.#scope.defaults)
    } catch {
      // Bad options: the call that finds nothing fresh is told.
      return
    }
    renewIfDue({ scope: this.#scope, key, location, policy, loader, previous: entry, gathering: undefined }, entry, now)
  }

  async #invalidate(target: InvalidateTarget, mode: InvalidationMode): Promise<InvalidateResult> {
    this.#open()
    return invalidate(this.#scope, resolveTarget(target), mode)
  }
}

function listOf<T>(items: Iterable<T>, name: string): Set<T> {
  if (typeof items !== 'object' || items === null || !(Symbol.iterator in items)) throw new InvalidArgumentError(`${name} must be an array or another iterable`)
  return new Set(items)
}

function checkEvent(event: unknown): asserts event is CacheEventName {
  if (!isEventName(event)) throw new InvalidArgumentError(`There is no event '${String(event).slice(0, 40)}'. There are: ${eventNames}`)
}
