import { InvalidOptionError, type CacheOptions, type InvalidEnvironmentError } from '@tiercel/core'
import type { FamilyName } from '../families/index.js'
import { readEnvironment, type Environment } from './environment.js'

/** Told what there is to tell. `console` is one; so is pino. */
export interface AICacheLogger {
  /** One line by `performMaintenance`. */
  info?(line: string): void
  /** Trouble with Redis, a hook that throws, a value that cannot be encoded. Neither keys nor values are in it. */
  warn?(about: object, message: string): void
}

type RedisCacheOptions = Pick<
  CacheOptions,
  'name' | 'redis' | 'prefix' | 'deadline' | 'connectTimeout' | 'maxStaleness' | 'failover' | 'codec' | 'compression' | 'encryption' | 'serverId' | 'maxValueBytes'
>

/** Options of `createAICacheService`. Each overrides what the environment says. Those of Redis are those of `createCache`. */
export interface AICacheOptions extends RedisCacheOptions {
  /** The namespace in Redis, which is to be no other cache's. Processes with the same one share their values. Default `'ai'`. */
  name?: string | undefined
  /** `false` stores nothing, counts nothing and connects to nothing. Default `true`, unless `AI_CACHE_ENABLED` is `false`. */
  enabled?: boolean | undefined
  /** How long searches and recommendations are kept when a set does not say, in minutes. Default `AI_CACHE_EXPIRY_MINUTES`, or 60 in production and 30 elsewhere. */
  cacheExpiryMinutes?: number | undefined
  /** Most search results kept. Default 1000. */
  searchCacheSize?: number | undefined
  /** Most recommendations kept. Default 500. */
  recommendationCacheSize?: number | undefined
  /** Most analytics kept. Default 100. */
  analyticsCacheSize?: number | undefined
  /** Most chat responses kept. Default 200. */
  chatCacheSize?: number | undefined
  /** Whether a value is worth keeping. What it refuses, or throws at, is not stored: an answer that only says that something failed, say. Default: every value is. */
  isCacheable?: ((value: unknown, family: FamilyName) => boolean) | undefined
  /** What of a context makes a message another one: leave out what differs at every call, such as timestamps. Default: all of it. */
  normalizeContext?: ((context: unknown) => unknown) | undefined
  /** Who shares values with whom: asked at every get and set, which then see the values of this scope only. Empty or `undefined` is shared by all. Invalidations reach all scopes. */
  scope?: (() => string | undefined) | undefined
  /** Default: `console` for the line of `performMaintenance`, and nothing else. */
  logger?: AICacheLogger | undefined
}

/** Options with nothing left to decide. */
export interface AICacheSettings {
  readonly enabled: boolean
  readonly sizes: Readonly<Record<FamilyName, number>>
  /** How long a value is kept when a set does not say. */
  readonly minutes: Readonly<Record<FamilyName, number>>
  readonly isCacheable: ((value: unknown, family: FamilyName) => boolean) | undefined
  readonly normalizeContext: ((context: unknown) => unknown) | undefined
  readonly scope: (() => string | undefined) | undefined
  readonly logger: AICacheLogger
  /** For the cache in Redis; `undefined` without one. */
  readonly redis: (RedisCacheOptions & { readonly name: string }) | undefined
}

const ANALYTICS_MINUTES = 24 * 60
const CHAT_MINUTES = 60
const LARGEST_FAMILY = 2 ** 24 - 1

const REDIS_OPTIONS = ['prefix', 'deadline', 'connectTimeout', 'maxStaleness', 'failover', 'codec', 'compression', 'encryption', 'serverId', 'maxValueBytes'] as const
const SIZES = ['searchCacheSize', 'recommendationCacheSize', 'analyticsCacheSize', 'chatCacheSize']
const HOOKS = ['isCacheable', 'normalizeContext', 'scope'] as const
const NAMES = new Set<string>([...REDIS_OPTIONS, ...SIZES, ...HOOKS, 'name', 'redis', 'enabled', 'cacheExpiryMinutes', 'logger'])

/**
 * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have. Those of Redis are checked by the cache that takes them.
 */
export function resolveOptions(options: AICacheOptions, env: Environment, refuse: (error: InvalidEnvironmentError) => void): AICacheSettings {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('createAICacheService takes an object of options')
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name)) throw new InvalidOptionError(`createAICacheService has no option '${name.slice(0, 40)}'. It has: ${[...NAMES].join(', ')}`)
  }
  for (const hook of HOOKS) {
    if (options[hook] !== undefined && typeof options[hook] !== 'function') throw new InvalidOptionError(`${hook} must be a function`)
  }
  if (options.enabled !== undefined && typeof options.enabled !== 'boolean') throw new InvalidOptionError('enabled must be true or false')
  if (options.logger !== undefined && (typeof options.logger !== 'object' || options.logger === null)) throw new InvalidOptionError('logger must be an object such as console')
  const said = readEnvironment(env, refuse)
  const minutes = options.cacheExpiryMinutes ?? said.cacheExpiryMinutes
  if (typeof minutes !== 'number' || !(minutes > 0)) throw new InvalidOptionError('cacheExpiryMinutes must be a number of minutes above 0')
  const enabled = options.enabled ?? said.enabled
  const { redis = said.redis.redis ?? false, name = 'ai', isCacheable, normalizeContext, scope, logger = { info: (line) => console.log(line) } } = options
  return {
    enabled,
    sizes: {
      search: sizeOf(options.searchCacheSize, 'searchCacheSize', 1000),
      recommendation: sizeOf(options.recommendationCacheSize, 'recommendationCacheSize', 500),
      analytics: sizeOf(options.analyticsCacheSize, 'analyticsCacheSize', 100),
      chat: sizeOf(options.chatCacheSize, 'chatCacheSize', 200),
    },
    minutes: { search: minutes, recommendation: minutes, analytics: ANALYTICS_MINUTES, chat: CHAT_MINUTES },
    isCacheable,
    normalizeContext,
    scope,
    logger,
    redis: enabled && redis !== false ? { ...said.redis, ...given(options), name, redis } : undefined,
  }
}

function given(options: AICacheOptions): RedisCacheOptions {
  return Object.fromEntries(REDIS_OPTIONS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]))
}

function sizeOf(size: number | undefined, name: string, byDefault: number): number {
  if (size === undefined) return byDefault
  if (!Number.isInteger(size) || size < 1 || size > LARGEST_FAMILY) throw new InvalidOptionError(`${name} must be a whole number from 1 to ${LARGEST_FAMILY}`)
  return size
}
