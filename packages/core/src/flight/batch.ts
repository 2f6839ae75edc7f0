import { InvalidArgumentError } from '../errors/index.js'
import type { Duration } from '../options/index.js'
import type { Gathering } from './load.js'
import type { LoadContext, Loader } from './load-context.js'

/** What a loader of many keys is given: as `LoadContext` for all of its keys, and each key's own through `for`. */
export interface BatchContext {
  /** Aborted when nobody waits for any of the keys any more, or the cache is closed. */
  readonly signal: AbortSignal
  /** The context of one key: its `stale` value, `etag`, `notModified`, `skip`, `ttl`, `grace`, `tags` and `room`. */
  for(key: string): LoadContext
  ttl(ttl: Duration): void
  grace(grace: Duration): void
  tags(...tags: readonly (string | readonly string[])[]): void
  room(room: string): void
  skip(): void
}

/** Gives the values of all keys that are not cached, as a `Map` or as pairs. A key left out has no value. */
export type BatchLoader<T> = (
  missing: string[],
  ctx: BatchContext,
) => Iterable<readonly [string, T]> | PromiseLike<Iterable<readonly [string, T]>>

/**
 * Makes one call of a batch loader look like a load per key, so that each key has a flight of its own: others can wait for it, and an
 * invalidation keeps out that key and no other.
 */
export class Batch<T> {
  readonly #load: BatchLoader<T>
  readonly #order: ReadonlyMap<string, number>
  /** Keys of which it is not known yet whether they have to be loaded: a call of the loader is put off until that is known of all. */
  readonly #undecided = new Set<string>()
  /** Keys that another process is loading. They are out of this call of the loader, and may be in the next. */
  readonly #elsewhere = new Set<string>()
  #whenDecided: (() => void) | undefined
  #gathered = new Map<string, { readonly ctx: LoadContext; readonly resolve: (value: T | PromiseLike<T>) => void; readonly reject: (error: unknown) => void }>()

  constructor(load: BatchLoader<T>, keys: Iterable<string>) {
    this.#load = load
    for (const key of keys) this.#undecided.add(key)
    this.#order = new Map([...this.#undecided].map((key, i) => [key, i]))
  }

  /** How many keys have to be looked for, or are being. */
  get open(): number {
    return this.#undecided.size
  }

  /** Resolves when there are none of those for the first time. For one who asks before. */
  decided(): Promise<void> {
    return new Promise((resolve) => (this.#whenDecided = resolve))
  }

  loader(key: string): Loader<T> {
    return (ctx) =>
      new Promise<T>((resolve, reject) => {
        this.#gathered.set(key, { ctx, resolve, reject })
        this.#decide(key)
      })
  }

  gathering(key: string): Gathering {
    return {
      needsNoLoad: () => this.#decide(key),
      waits: () => {
        this.#elsewhere.add(key)
        this.#undecided.delete(key)
        this.#loadIfGathered()
      },
    }
  }

  #decide(key: string): void {
    this.#undecided.delete(key)
    this.#elsewhere.delete(key)
    this.#loadIfGathered()
  }

  #loadIfGathered(): void {
    const isNext = this.#undecided.size === 0
    if (isNext) this.#whenDecided?.()
    if (!isNext || this.#gathered.size === 0) return
    // In the order asked for, however the answers of Redis came in.
    const place = ([key]: [string, unknown]) => this.#order.get(key) ?? 0
    const gathered = new Map([...this.#gathered].sort((a, b) => place(a) - place(b)))
    this.#gathered = new Map()
    for (const key of this.#elsewhere) this.#undecided.add(key)
    this.#elsewhere.clear()
    this.#run(new Map([...gathered].map(([key, { ctx }]) => [key, ctx]))).then(
      (results) => gathered.forEach(({ resolve }, key) => resolve(results.get(key) as T)),
      (error: unknown) => gathered.forEach(({ reject }) => reject(error)),
    )
  }

  async #run(contexts: ReadonlyMap<string, LoadContext>): Promise<Map<string, T>> {
    const pairs: unknown = await this.#load([...contexts.keys()], contextOf(contexts))
    if (pairs instanceof Map) return pairs as Map<string, T>
    if (typeof pairs === 'object' && pairs !== null && Symbol.iterator in pairs) {
      const results = [...(pairs as Iterable<unknown>)]
      if (results.every((pair) => Array.isArray(pair))) return new Map(results as [string, T][])
    }
    throw new InvalidArgumentError('A loader of many keys returns a Map, or an iterable of [key, value] pairs')
  }
}

function contextOf(contexts: ReadonlyMap<string, LoadContext>): BatchContext {
  const all = [...contexts.values()]
  let signal: AbortSignal | undefined
  return {
    get signal() {
      return (signal ??= abortedWithAll(all.map((ctx) => ctx.signal)))
    },
    for(key) {
      const ctx = contexts.get(key)
      if (ctx === undefined) throw new InvalidArgumentError('ctx.for(key) takes one of the keys the loader was asked for')
      return ctx
    },
    ttl: (ttl) => all.forEach((ctx) => ctx.ttl(ttl)),
    grace: (grace) => all.forEach((ctx) => ctx.grace(grace)),
    tags: (...tags) => all.forEach((ctx) => ctx.tags(...tags)),
    room: (room) => all.forEach((ctx) => ctx.room(room)),
    skip: () => all.forEach((ctx) => ctx.skip()),
  }
}

function abortedWithAll(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController()
  let left = signals.length
  const abort = function (this: AbortSignal) {
    if (--left === 0) controller.abort(this.reason)
  }
  for (const signal of signals) {
    if (signal.aborted) abort.call(signal)
    else signal.addEventListener('abort', abort, { once: true })
  }
  return controller.signal
}
