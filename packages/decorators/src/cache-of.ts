import { InvalidArgumentError, type Cache, type InvalidateResult } from '@tiercel/core'
import type { AsyncMethod } from './async-method.js'
import { isCachingOff } from './caching.js'
import type { Binding } from './methods/binding.js'
import { bindingNamed } from './methods/owner.js'

/** What is cached of one method. */
export interface MethodCache<Args extends readonly unknown[], Result> {
  /** The cache it is in. */
  readonly cache: Cache
  /** The key of a call with these arguments. */
  key(...args: Args): string
  /** What a call with these arguments would find, or `undefined`. The method is not run. */
  get(...args: Args): Promise<Result | undefined>
  /** Keeps a result for calls with these arguments. Resolves to whether it was kept. */
  set(result: Result, ...args: Args): Promise<boolean>
  /** Forgets the result of calls with these arguments. */
  invalidate(...args: Args): Promise<InvalidateResult>
  /** As `invalidate`, but the old result stays for grace. */
  expire(...args: Args): Promise<InvalidateResult>
  /** Forgets all results of the method, by a pattern: it goes through all keys of the cache. Tags and rooms do not. */
  clear(): Promise<InvalidateResult>
}

/** The cached methods of an object, or the static ones of a class. */
export type CacheOf<T> = {
  readonly [K in keyof T as T[K] extends AsyncMethod ? K : never]: T[K] extends (this: never, ...args: infer Args) => Promise<infer Result> ? MethodCache<Args, Result> : never
}

/**
 * What is cached of the methods of an object, or of the static ones of a class. Not for `#private` ones.
 *
 * @throws {InvalidOptionError} when a method is asked for that has no `@Cached`.
 * @example
 * await cacheOf(trips).find.invalidate('42')
 */
export function cacheOf<T extends object>(target: T): CacheOf<T> {
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null) throw new InvalidArgumentError('cacheOf takes an object with cached methods, or a class with static ones')
  return new Proxy({} as CacheOf<T>, {
    // Whoever looks whether it is a promise, as `await` does, is told that it is none.
    get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : handle(target, bindingNamed(target, name))),
  })
}

function handle(self: object, binding: Binding): MethodCache<unknown[], unknown> {
  const changed = (change: (cache: Cache) => Promise<InvalidateResult>): Promise<InvalidateResult> =>
    isCachingOff() ? Promise.resolve({ durable: true }) : change(binding.cacheOf(self))
  return {
    get cache() {
      return binding.cacheOf(self)
    },
    key: (...args) => binding.keyOf(self, args),
    get: async (...args) => (isCachingOff() ? undefined : binding.shaped(binding.cacheOf(self).get(binding.keyOf(self, args)))),
    set: async (result, ...args) => !isCachingOff() && binding.put(self, args, result),
    invalidate: async (...args) => changed((cache) => cache.invalidate({ key: binding.keyOf(self, args) })),
    expire: async (...args) => changed((cache) => cache.expire({ key: binding.keyOf(self, args) })),
    clear: async () => changed((cache) => cache.invalidatePattern(binding.keysOf(self))),
  }
}
