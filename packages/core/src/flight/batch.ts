import { InvalidArgumentError } from '../errors/index.js'
import type { Duration } from '../options/index.js'
import type { LoadContext, Loader } from './load-context.js'

/** What a loader of many keys is given: as `LoadContext` for all of its keys, and each key's own through `for`. */
export interface BatchContext<T = unknown> {
  /** Aborted when nobody waits for any of the keys any more, or the cache is closed. */
  readonly signal: AbortSignal
  /** The context of one key: its `stale` value, `etag`, `notModified`, `skip`, `ttl`, `tags` and `room`. */
  for(key: string): LoadContext<T>
  ttl(ttl: Duration): void
  tags(...tags: readonly (string | readonly string[])[]): void
  room(room: string): void
  skip(): void
}

/** Gives the values of all keys that are not cached, as a `Map` or as pairs. A key left out has no value. */
export type BatchLoader<T> = (
  missing: string[],
  ctx: BatchContext<T>,
) => Iterable<readonly [string, T]> | PromiseLike<Iterable<readonly [string, T]>>

/**
 * Makes one call of a batch loader look like a load per key, so that each key has a flight of its own: others can wait for it, and an
 * invalidation keeps out that key and no other.
 */
export class Batch<T> {
  readonly #load: BatchLoader<T>
  readonly #contexts = new Map<string, LoadContext<T>>()
  #results: Promise<Map<string, T>> | undefined

  constructor(load: BatchLoader<T>) {
    this.#load = load
  }

  loader(key: string): Loader<T> {
    return async (ctx) => {
      this.#contexts.set(key, ctx)
      // The loads of all keys begin in microtasks queued before this one: by then it is known which keys are ours to load.
      this.#results ??= Promise.resolve().then(() => this.#run())
      return (await this.#results).get(key) as T
    }
  }

  async #run(): Promise<Map<string, T>> {
    const pairs: unknown = await this.#load([...this.#contexts.keys()], this.#context())
    if (pairs instanceof Map) return pairs as Map<string, T>
    if (typeof pairs === 'object' && pairs !== null && Symbol.iterator in pairs) {
      const results = [...(pairs as Iterable<unknown>)]
      if (results.every((pair) => Array.isArray(pair))) return new Map(results as [string, T][])
    }
    throw new InvalidArgumentError('A loader of many keys returns a Map, or an iterable of [key, value] pairs')
  }

  #context(): BatchContext<T> {
    const contexts = this.#contexts
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
      tags: (...tags) => all.forEach((ctx) => ctx.tags(...tags)),
      room: (room) => all.forEach((ctx) => ctx.room(room)),
      skip: () => all.forEach((ctx) => ctx.skip()),
    }
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
