import { createCache, InvalidOptionError, type Cache, type CallOptions, type Duration } from '@tiercel/core'
import type { AnyFunction, AnyMethod, ClassOf } from '../async-method.js'

/** The options of a method over those of its class, over those of the classes above. What none of them says, the cache does. */
export interface MergedOptions {
  readonly cache: Cache | AnyFunction | undefined
  readonly instance: AnyFunction | undefined
  readonly key: AnyMethod | undefined
  readonly ttl: Duration | AnyMethod | undefined
  readonly tags: readonly string[] | AnyMethod | undefined
  readonly room: string | AnyMethod | undefined
  readonly signal: AnyMethod | undefined
  readonly when: AnyMethod | undefined
  readonly unless: AnyMethod | undefined
  readonly resultTtl: AnyMethod | undefined
  readonly resultTags: AnyMethod | undefined
  readonly resultRoom: AnyMethod | undefined
  readonly returns: (() => ClassOf<object>) | undefined
  /** What the core takes as it is. */
  readonly fixed: CallOptions
  /** All of them, as they were written. */
  readonly written: WrittenOptions
}

/** Options as they were written, of whatever type. */
export type WrittenOptions = Readonly<Record<string, unknown>>

/** What `@Cached` and `@CacheConfig` hand on to the core. */
export const OPTIONS_OF_THE_CORE = ['ttl', 'grace', 'graceRetry', 'softTimeout', 'hardTimeout', 'refresh', 'jitter', 'cacheNull', 'onError', 'tags', 'room', 'bypass', 'memory', 'redis']

const FUNCTIONS = new Set(['key', 'signal', 'when', 'unless', 'resultTtl', 'resultTags', 'resultRoom', 'returns', 'instance'])
const OWN = new Set(['name', 'cache', ...FUNCTIONS])
const CALLABLE = ['ttl', 'tags', 'room']

/** Refuses what cannot be meant, where it is written: everything but what depends on the cache. */
export function checkOptions(decorator: string, options: unknown, names: readonly string[]): asserts options is WrittenOptions {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError(`@${decorator} takes an object of options`)
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) throw new InvalidOptionError(`@${decorator} has no option '${name.slice(0, 40)}'. It has: ${names.join(', ')}`)
    if (FUNCTIONS.has(name) && value !== undefined && typeof value !== 'function') throw new InvalidOptionError(`${name} of @${decorator} must be a function`)
  }
}

/** @throws {InvalidOptionError} for what contradicts. */
export function mergeOptions(levels: readonly WrittenOptions[]): MergedOptions {
  const merged: Record<string, unknown> = {}
  for (const level of levels) {
    for (const [name, value] of Object.entries(level)) if (value !== undefined) merged[name] = value
    // An entry has one room: who says how to find it says so in place of those above.
    if (level['room'] !== undefined) delete merged['resultRoom']
    if (level['resultRoom'] !== undefined) delete merged['room']
  }
  const fixed = Object.fromEntries(Object.entries(merged).filter(([name]) => !OWN.has(name) && !CALLABLE.includes(name)))
  const constant = Object.fromEntries(CALLABLE.flatMap((name) => (merged[name] === undefined || typeof merged[name] === 'function' ? [] : [[name, merged[name]]])))
  checkByCore({ ...fixed, ...constant })
  return { ...(merged as unknown as MergedOptions), fixed, written: merged }
}

let judge: Cache | undefined

/** The core knows what its options may be. The cache that will be used may allow more grace, so its absence is not judged here. */
function checkByCore(options: CallOptions): void {
  const grace = options.softTimeout !== undefined && options.grace === undefined ? { grace: '3650d' as const } : undefined
  judge ??= createCache({ redis: false })
  judge.wrap(() => undefined, { key: () => 'k', ...(options as object), ...grace })
}
