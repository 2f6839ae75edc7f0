import { InvalidArgumentError, InvalidOptionError } from '../errors/index.js'
import type { CallOptions } from '../options/index.js'
import type { Cache } from './cache.js'
import type { InvalidateResult } from './target.js'

export interface WrapOptions<Args extends unknown[]> extends Omit<CallOptions, 'tags' | 'room' | 'signal'> {
  /** The key of a call. Arguments that give the same key are given the same value. */
  key: (...args: Args) => string
  tags?: readonly string[] | ((...args: Args) => readonly string[])
  room?: string | ((...args: Args) => string)
}

/** A function that caches. */
export interface Wrapped<Args extends unknown[], R> {
  (...args: Args): Promise<R>
  /** The key of a call with these arguments. */
  key(...args: Args): string
  /** Forgets what a call with these arguments gave. */
  invalidate(...args: Args): Promise<InvalidateResult>
}

export function wrapFunction<Args extends unknown[], R>(cache: Cache, fn: (...args: Args) => R, options: WrapOptions<Args>, check: (fixed: CallOptions) => void): Wrapped<Args, Awaited<R>> {
  if (typeof fn !== 'function') throw new InvalidArgumentError('wrap takes the function to cache')
  if (typeof options?.key !== 'function') throw new InvalidOptionError('wrap needs `key`, a function from the arguments to the key: { key: (id) => `user:${id}` }')
  const { key, tags, room, ...rest } = options
  const dependsOnArguments = typeof tags === 'function' || typeof room === 'function'
  const fixed: CallOptions = { ...rest, ...labels(typeof tags === 'function' ? undefined : tags, typeof room === 'function' ? undefined : room) }
  check(fixed)
  const optionsFor = (args: Args): CallOptions =>
    dependsOnArguments
      ? { ...fixed, ...labels(typeof tags === 'function' ? tags(...args) : tags, typeof room === 'function' ? room(...args) : room) }
      : fixed

  async function wrapped(this: unknown, ...args: Args): Promise<Awaited<R>> {
    return cache.getOrSet<Awaited<R>>(key(...args), () => fn.apply(this, args) as Awaited<R>, optionsFor(args))
  }
  return Object.assign(wrapped, {
    key: (...args: Args) => key(...args),
    invalidate: async (...args: Args) => cache.invalidate({ key: key(...args) }),
  })
}

function labels(tags: readonly string[] | undefined, room: string | undefined): CallOptions {
  return { ...(tags === undefined ? undefined : { tags }), ...(room === undefined ? undefined : { room }) }
}
