import type { Cache, CallOptions, Duration } from '@tiercel/core'
import type { ClassOf } from './async-method.js'

/** The cache itself, or how to get it from the object a method is called on: `(self: Trips) => self.cache`. */
export type CacheSource<Self = never> = Cache | ((self: Self) => Cache)

/** What a call of the core takes that is the same for every call of a method. */
type FixedOptions = Omit<CallOptions, 'ttl' | 'tags' | 'room' | 'signal'>

/** What a class says for all of its methods with `@Cached`. Each of them can say otherwise. */
export interface CacheConfigOptions<Self = never> extends FixedOptions {
  /** Stands in keys in place of the name of the class: for two classes of one name, or when a minifier changes names. It is not inherited. */
  name?: string | undefined
  /** Default: what `useCache` was given. */
  cache?: CacheSource<Self> | undefined
  /** What makes two instances of the class different, such as a tenant. By default they share what is cached. Not for static methods. */
  instance?: ((self: Self) => unknown) | undefined
  ttl?: Duration | undefined
  tags?: readonly string[] | undefined
  room?: string | undefined
}

/**
 * What `@Cached` takes: every option of a call of the core, some of them also as a function of the method's arguments, or of its result and them. Functions are called with
 * `this` as the method is.
 */
export interface CachedOptions<Args extends readonly unknown[] = readonly unknown[], Result = unknown> extends FixedOptions {
  /** Stands in keys in place of the names of the class and the method. */
  name?: string | undefined
  /** Default: what the class says, else what `useCache` was given. */
  cache?: CacheSource | undefined
  /** What takes the place of the arguments in the key: any value that can be part of one. Default: all of the arguments. */
  key?: ((...args: Args) => unknown) | undefined
  /** Default: what the class says, else what the cache was made with. */
  ttl?: Duration | ((...args: Args) => Duration) | undefined
  /** Labels by which the entry can be invalidated together with others. */
  tags?: readonly string[] | ((...args: Args) => readonly string[]) | undefined
  /** The room the entry belongs to. */
  room?: string | ((...args: Args) => string) | undefined
  /** Gives up waiting for this call. `undefined` is no signal. */
  signal?: ((...args: Args) => AbortSignal | undefined) | undefined
  /** `false` runs the method, without the cache. */
  when?: ((...args: Args) => boolean) | undefined
  /** `true` serves the result and does not keep it. */
  unless?: ((result: Result, ...args: Args) => boolean) | undefined
  /** The TTL of this result. `undefined` is that of `ttl`; `0` does not keep it. */
  resultTtl?: ((result: Result, ...args: Args) => Duration | undefined) | undefined
  /** More tags, by what the method returned. */
  resultTags?: ((result: Result, ...args: Args) => readonly string[]) | undefined
  /** The room, by what the method returned; in place of `room`. `undefined` and `null` are none. */
  resultRoom?: ((result: Result, ...args: Args) => string | null | undefined) | undefined
  /** The class of the result, or of the elements of an array: what comes back from Redis without it is given it again. Its `#private` fields are not. */
  returns?: (() => ClassOf<unknown>) | undefined
}

/** Any of them, for what does not depend on the method's type. */
export type AnyCachedOptions = CachedOptions<readonly never[], never>

/** What `@Invalidates` takes. All that is named is dropped together. Functions are called with `this` as the method is. */
export interface InvalidatesOptions<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  tags?: readonly string[] | ((...args: Args) => readonly string[]) | undefined
  room?: string | ((...args: Args) => string) | undefined
  /** Keys as the cache has them: for what was not cached by a decorator. */
  keys?: readonly string[] | ((...args: Args) => readonly string[]) | undefined
  /** Everything in the cache. */
  all?: boolean | undefined
  /** More tags, by what the method returned. */
  resultTags?: ((result: Result, ...args: Args) => readonly string[]) | undefined
  /** A room by what the method returned. `undefined` and `null` are none. */
  resultRoom?: ((result: Result, ...args: Args) => string | null | undefined) | undefined
  /** The name of a method of the class with `@Cached`: what it gave for `args` or `resultArgs` or, without either, all it ever gave. */
  method?: string | undefined
  /** The arguments of `method` whose result is dropped. */
  args?: ((...args: Args) => readonly unknown[]) | undefined
  /** As `args`, by what the method returned. */
  resultArgs?: ((result: Result, ...args: Args) => readonly unknown[]) | undefined
  /** `false` invalidates nothing this time. */
  when?: ((...args: Args) => boolean) | undefined
  /** Before the method runs, and whatever becomes of it. Default: after it, and only if it did not fail. */
  before?: boolean | undefined
  /** Leaves the old values for grace. Default `false`. */
  expire?: boolean | undefined
  /** Default: what the class says, else what `useCache` was given. */
  cache?: CacheSource | undefined
}

export type AnyInvalidatesOptions = InvalidatesOptions<readonly never[], never>

/** What `@CachePut` takes: exactly one of `args` and `resultArgs`. Functions are called with `this` as the method is. */
export interface CachePutOptions<Args extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** The name of a method of the class with `@Cached`: its next call with those arguments gives what this method returned. */
  method: string
  args?: ((...args: Args) => readonly unknown[]) | undefined
  /** As `args`, by what the method returned. */
  resultArgs?: ((result: Result, ...args: Args) => readonly unknown[]) | undefined
  /** `false` leaves the cache as it is. */
  when?: ((...args: Args) => boolean) | undefined
}

export type AnyCachePutOptions = CachePutOptions<readonly never[], never>
