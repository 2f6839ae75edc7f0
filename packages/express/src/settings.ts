import { InvalidOptionError, type Cache, type Duration, type Logger } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import type { ResponseCacheOptions } from './options.js'
import type { CachedRequest } from './express-shapes.js'
import { resolveQuery, type QueryRule } from './request/query.js'
import { CacheStatus } from './serve/cache-status.js'

/** The options with nothing left to decide. */
export interface Settings {
  readonly cache: Cache
  readonly ttlMs: number | undefined
  readonly graceMs: number
  readonly staleWhileRevalidateMs: number
  readonly keepMs: number
  readonly room: string | ((req: CachedRequest) => string | undefined) | undefined
  readonly tags: readonly string[] | ((req: CachedRequest) => readonly string[]) | undefined
  readonly vary: readonly string[]
  readonly key: ((req: CachedRequest) => string | undefined) | undefined
  readonly answersHead: boolean
  readonly answersGet: boolean
  /** `undefined`: cookies make a request personal. Else the names of those that count; the handler sees no others. */
  readonly cookies: readonly string[] | undefined
  readonly query: QueryRule | undefined
  readonly maxBody: number
  readonly maxVariants: number
  readonly maxWaitMs: number
  readonly obeysClients: boolean
  readonly keepsErrors: boolean
  readonly admitsAtOnce: boolean
  readonly cacheStatus: CacheStatus | undefined
  readonly targeted: readonly string[]
  readonly logger: Logger | undefined
}

const NAMES = new Set<keyof ResponseCacheOptions>([
  'cache', 'ttl', 'grace', 'staleWhileRevalidate', 'keep', 'room', 'tags', 'vary', 'key', 'methods', 'cookies', 'query', 'maxBody', 'maxVariants', 'maxWait', 'requestDirectives', 'errors',
  'admit', 'cacheStatus', 'targeted', 'logger',
])

/** @throws {InvalidOptionError} */
export function resolveSettings<Req>(options: ResponseCacheOptions<Req>): Settings {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('cacheResponses takes an object of options: { cache, ttl: \'1m\' }')
  const unknown = Object.keys(options).find((name) => !NAMES.has(name as keyof ResponseCacheOptions))
  if (unknown !== undefined) throw new InvalidOptionError(`cacheResponses has no option '${unknown.slice(0, 40)}'. It has: ${[...NAMES].join(', ')}`)
  const { cache, room, tags, key, methods = ['GET', 'HEAD'], cookies = 'public', admit = 'first', cacheStatus = 'tiercel', logger } = options
  checkCache(cache)
  if (room !== undefined && typeof room !== 'string' && typeof room !== 'function') throw new InvalidOptionError('room is a string or a function of the request')
  if (tags !== undefined && typeof tags !== 'function') checkNames(tags, 'tags')
  if (key !== undefined && typeof key !== 'function') throw new InvalidOptionError('key is a function of the request: (req) => req.params.id')
  if (!Array.isArray(methods) || methods.length === 0 || !methods.every((method) => method === 'GET' || method === 'HEAD')) {
    throw new InvalidOptionError("methods is a list of 'GET' and 'HEAD': no other method is safe to answer from a cache")
  }
  if (cookies !== 'public' && cookies !== 'ignore') checkNames(cookies, 'cookies')
  if (admit !== 'first' && admit !== 'second') throw new InvalidOptionError("admit is 'first' or 'second'")
  if (cacheStatus !== false && (typeof cacheStatus !== 'string' || !/^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(cacheStatus))) {
    throw new InvalidOptionError('cacheStatus is a name of letters, digits and hyphens, or false')
  }
  if (logger !== undefined && typeof logger?.warn !== 'function') throw new InvalidOptionError('logger must have a method warn')
  return {
    cache,
    ttlMs: options.ttl === undefined ? undefined : duration(options.ttl, 'ttl'),
    graceMs: duration(options.grace ?? '1m', 'grace'),
    staleWhileRevalidateMs: duration(options.staleWhileRevalidate ?? 0, 'staleWhileRevalidate'),
    keepMs: duration(options.keep ?? '10m', 'keep'),
    room: room as Settings['room'],
    tags: tags as Settings['tags'],
    vary: headerNames(options.vary, 'vary'),
    key: key as Settings['key'],
    answersGet: methods.includes('GET'),
    answersHead: methods.includes('HEAD'),
    cookies: cookies === 'public' ? undefined : cookies === 'ignore' ? [] : cookies,
    query: resolveQuery(options.query),
    maxBody: count(options.maxBody ?? 2 ** 20, 'maxBody'),
    maxVariants: count(options.maxVariants ?? 32, 'maxVariants'),
    maxWaitMs: duration(options.maxWait ?? '10s', 'maxWait'),
    obeysClients: flag(options.requestDirectives, 'requestDirectives'),
    keepsErrors: flag(options.errors, 'errors'),
    admitsAtOnce: admit === 'first',
    cacheStatus: cacheStatus === false ? undefined : new CacheStatus(cacheStatus),
    targeted: headerNames(options.targeted ?? ['Tiercel-Cache-Control'], 'targeted'),
    logger,
  }
}

/** By shape: the two halves of the package, or two copies of it, may meet in one process. */
export function checkCache(cache: Cache | undefined): void {
  if (typeof cache?.getOrSet !== 'function' || typeof cache.invalidate !== 'function') throw new InvalidOptionError('The option cache is a cache, made by createCache of @tiercel/core')
}

/** Milliseconds that a timer can wait. */
function duration(value: Duration, name: string): number {
  const ms = toMs(value, name)
  if (ms > 2 ** 31 - 1) throw new InvalidOptionError(`${name} must be at most '24d'`)
  return ms
}

function checkNames(names: unknown, option: string): void {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string' && name !== '')) throw new InvalidOptionError(`${option} is a list of names`)
}

function headerNames(names: readonly string[] | undefined, option: string): string[] {
  if (names === undefined) return []
  checkNames(names, option)
  return names.map((name) => name.toLowerCase())
}

function flag(value: boolean | undefined, option: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw new InvalidOptionError(`${option} must be true or false`)
  return value ?? false
}

function count(value: number, option: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidOptionError(`${option} must be a whole number`)
  return value
}
