import { AsyncLocalStorage } from 'node:async_hooks'
import { createCache, InvalidArgumentError, type Cache } from '@tiercel/core'

let chosen: Cache | false | undefined
let made: Cache | undefined

/**
 * Says which cache decorated methods use whose class, or who themselves, name none. Counts for all calls from now on.
 *
 * `false` is the switch for tests: every decorated method, whatever cache it names, then runs as if it were not decorated. `undefined` is back to the default,
 * which is `createCache()`, made when it is first needed: in memory, and with `REDIS_URL` in the environment in front of that Redis.
 *
 * @example
 * useCache(createCache({ redis: process.env.REDIS_URL, ttl: '10m' }))
 */
export function useCache(cache: Cache | false | undefined): void {
  if (cache !== undefined && cache !== false) checkCache(cache, 'useCache takes')
  chosen = cache
}

/** The cache for whoever names none. Not to be asked for while caching is off. */
export function cacheInUse(): Cache {
  return chosen || (made ??= createCache())
}

export function isCachingOff(): boolean {
  return chosen === false
}

/** By shape: an application may hold a second copy of the package. */
export function checkCache(cache: unknown, subject: string): asserts cache is Cache {
  if (typeof (cache as Partial<Cache> | null | undefined)?.getOrSet !== 'function') {
    throw new InvalidArgumentError(`${subject} a cache made by createCache, not ${cache === null ? 'null' : typeof cache === 'object' ? 'another object' : `a value of type ${typeof cache}`}`)
  }
}

// Made at the first use: while one is there, Node 20 does more work at every promise of the process.
let scope: AsyncLocalStorage<true> | undefined

/**
 * Runs something without the cache: methods with `@Cached` that are called within it, also later and at any depth, run each time, and what they return is not kept.
 * `@Invalidates` and `@CachePut` do what they always do: what is written there concerns others.
 *
 * @example
 * const fresh = await uncached(() => trips.find('42'))
 */
export function uncached<T>(run: () => T): T {
  return (scope ??= new AsyncLocalStorage()).run(true, run)
}

export function isUncached(): boolean {
  return scope !== undefined && scope.getStore() === true
}
