import { defaultLimits, resolveEntryFormat, type EntryFormat } from '../codec/index.js'
import { InvalidOptionError } from '../errors/index.js'
import type { Logger } from '../observe/index.js'
import type { RedisTarget } from '../redis/index.js'
import { toMs, toTimerMs, type Duration } from './duration.js'
import { checkTag, checkTagCount, checkTags } from './names.js'
import type { AuditOptions, CacheOptions, CallOptions, EntryOptions, ErrorHandler } from './options.js'

/** Options of a call with nothing left to decide. */
export interface Policy {
  readonly ttl: number
  readonly grace: number
  readonly graceRetry: number
  readonly softTimeout: number
  readonly hardTimeout: number
  readonly refresh: number
  readonly jitterPart: number
  readonly jitterMs: number
  readonly cacheNull: boolean
  readonly onError: ErrorHandler | undefined
  readonly tags: readonly string[]
  readonly room: string | undefined
  readonly read: boolean
  readonly write: boolean
  readonly memory: boolean
  readonly redis: boolean
  /** Whether it has just been looked for in Redis, in vain. */
  readonly looked: boolean
  readonly signal: AbortSignal | undefined
}

const NO_TAGS: readonly string[] = []

const DEFAULTS: Policy = {
  ttl: 300_000,
  grace: 0,
  graceRetry: 1000,
  softTimeout: 0,
  hardTimeout: 0,
  refresh: 0,
  jitterPart: 0,
  jitterMs: 0,
  cacheNull: true,
  onError: undefined,
  tags: NO_TAGS,
  room: undefined,
  read: true,
  write: true,
  memory: true,
  redis: true,
  looked: false,
  signal: undefined,
}

const ENTRY_OPTIONS = ['ttl', 'grace', 'graceRetry', 'softTimeout', 'hardTimeout', 'refresh', 'jitter', 'cacheNull', 'onError']
const NAMES_OF_ENTRY_OPTIONS = new Set(ENTRY_OPTIONS)
const NAMES_OF_CALL_OPTIONS = new Set([...ENTRY_OPTIONS, 'tags', 'room', 'bypass', 'memory', 'redis', 'signal'])
const REDIS_OPTIONS = ['redis', 'prefix', 'maxStaleness', 'deadline', 'connectTimeout', 'outage', 'failover', 'audit', 'codec', 'compression', 'encryption', 'serverId']
const NAMES_OF_CACHE_OPTIONS = new Set([...ENTRY_OPTIONS, ...REDIS_OPTIONS, 'name', 'memory', 'clone', 'maxValueBytes', 'logger'])

/** @throws {InvalidOptionError} */
export function resolveCall(options: CallOptions | undefined, defaults: Policy): Policy {
  if (options === undefined) return defaults
  checkNames(options, NAMES_OF_CALL_OPTIONS, 'a call')
  if (options.tags !== undefined) checkTags(options.tags)
  if (options.room !== undefined) checkTag(options.room, 'room')
  if (options.tags !== undefined && options.room !== undefined) checkTagCount(options.tags.length + 1)
  const { bypass, signal } = options
  if (bypass !== undefined && bypass !== 'read' && bypass !== 'write' && bypass !== 'both') {
    throw new InvalidOptionError("bypass is 'read', 'write' or 'both'")
  }
  // By shape: test runners and iframes have AbortSignals of their own realm.
  if (signal !== undefined && (typeof signal?.addEventListener !== 'function' || typeof signal.aborted !== 'boolean')) throw new InvalidOptionError('signal must be an AbortSignal')
  return resolveEntry(options, {
    ...defaults,
    tags: options.tags ?? defaults.tags,
    room: options.room ?? defaults.room,
    read: bypass === undefined || bypass === 'write',
    write: bypass === undefined || bypass === 'read',
    memory: flag(options.memory, 'memory', defaults.memory),
    redis: flag(options.redis, 'redis', defaults.redis),
    signal,
  })
}

/** @throws {InvalidOptionError} */
export function resolveDefaults(options: EntryOptions, inherited: Policy = DEFAULTS): Policy {
  return resolveEntry(options, inherited)
}

/** @throws {InvalidOptionError} */
export function checkNamespaceOptions(options: object): void {
  checkNames(options, NAMES_OF_ENTRY_OPTIONS, 'a namespace')
}

export interface AuditSettings {
  readonly sample: number
  readonly afterMs: number
}

/** Options of `createCache` with nothing left to decide, but for the defaults of calls. */
export interface CacheSettings {
  readonly name: string
  readonly maxEntries: number
  readonly maxBytes: number
  readonly maxValueBytes: number
  readonly clone: boolean
  readonly logger: Logger | undefined
  readonly redis: RedisTarget | undefined
  readonly prefix: string
  readonly maxStalenessMs: number
  readonly deadlineMs: number
  readonly connectTimeoutMs: number
  readonly serveInOutageMs: number
  readonly keepsOnFailover: boolean
  readonly audit: AuditSettings | undefined
  readonly serverId: string | undefined
  readonly format: EntryFormat
}

/** @throws {InvalidOptionError} */
export function resolveCache(options: CacheOptions, env: NodeJS.ProcessEnv = process.env): CacheSettings {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('createCache takes an object of options')
  checkNames(options, NAMES_OF_CACHE_OPTIONS, 'createCache')
  const { memory = {}, logger } = options
  if (typeof memory !== 'object' || memory === null) throw new InvalidOptionError('memory must be an object such as { maxEntries: 10_000 }')
  checkNames(memory, new Set(['maxEntries', 'maxBytes']), 'memory')
  if (logger !== undefined && typeof logger?.warn !== 'function') {
    throw new InvalidOptionError('logger must have a method warn')
  }
  const maxValueBytes = count(options.maxValueBytes, 'maxValueBytes', 16 * 2 ** 20, 2 ** 30)
  return {
    ...resolveRedis(options, env),
    format: resolveEntryFormat({
      codec: options.codec,
      compression: options.compression,
      encryption: options.encryption,
      limits: { ...defaultLimits, maxBytes: maxValueBytes },
    }),
    name: options.name ?? 'tiercel',
    maxEntries: count(memory.maxEntries, 'memory.maxEntries', 10_000, 2 ** 24 - 1),
    maxBytes: count(memory.maxBytes, 'memory.maxBytes', 32 * 2 ** 20, Number.MAX_SAFE_INTEGER),
    maxValueBytes,
    clone: flag(options.clone, 'clone', false),
    logger,
  }
}

function resolveRedis(options: CacheOptions, env: NodeJS.ProcessEnv) {
  const { prefix = '', failover = 'invalidate', outage = {}, serverId } = options
  if (typeof prefix !== 'string' || !/^[A-Za-z0-9_.:-]{0,64}$/.test(prefix)) {
    throw new InvalidOptionError('prefix is at most 64 letters, digits, dots, underscores, hyphens and colons')
  }
  if (failover !== 'invalidate' && failover !== 'keep') throw new InvalidOptionError("failover is 'invalidate' or 'keep'")
  if (serverId !== undefined && (typeof serverId !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(serverId))) {
    throw new InvalidOptionError('serverId is 1 to 64 printable ASCII characters without spaces')
  }
  if (typeof outage !== 'object' || outage === null) throw new InvalidOptionError("outage must be an object such as { serve: '5m' }")
  checkNames(outage, new Set(['serve']), 'outage')
  const maxStalenessMs = toTimerMs(options.maxStaleness ?? 5000, 'maxStaleness')
  const deadlineMs = toTimerMs(options.deadline ?? 250, 'deadline')
  const serveInOutageMs = outage.serve === undefined ? 0 : toMs(outage.serve, 'outage.serve')
  if (maxStalenessMs < 50) throw new InvalidOptionError('maxStaleness must be at least 50 ms: the network needs some time to tell everybody')
  if (deadlineMs < 1) throw new InvalidOptionError('deadline must be at least 1 ms; to leave Redis out, give redis: false')
  if (serveInOutageMs > 0 && serveInOutageMs < maxStalenessMs) throw new InvalidOptionError('outage.serve must be longer than maxStaleness, or it changes nothing')
  const { redis = env.REDIS_URL === undefined || env.REDIS_URL === '' ? false : env.REDIS_URL } = options
  return {
    redis: redis === false ? undefined : redis,
    prefix,
    maxStalenessMs,
    deadlineMs,
    connectTimeoutMs: toTimerMs(options.connectTimeout ?? 5000, 'connectTimeout'),
    serveInOutageMs,
    keepsOnFailover: failover === 'keep',
    audit: options.audit === undefined ? undefined : resolveAudit(options.audit),
    serverId,
  }
}

function resolveAudit(options: AuditOptions): AuditSettings {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('audit must be an object such as { sample: 0.001 }')
  checkNames(options, new Set(['sample', 'after']), 'audit')
  const { sample = 0.001 } = options
  if (typeof sample !== 'number' || !(sample > 0 && sample <= 1)) throw new InvalidOptionError('audit.sample is the part of the hits to look at, above 0 and at most 1, such as 0.001')
  const afterMs = toTimerMs(options.after ?? 2000, 'audit.after')
  if (afterMs < 100) throw new InvalidOptionError('audit.after must be at least 100 ms: what has just changed may not have reached everybody')
  return { sample, afterMs }
}

function resolveEntry(options: EntryOptions, inherited: Policy): Policy {
  const ttl = options.ttl === undefined ? inherited.ttl : toMs(options.ttl, 'ttl')
  const grace = options.grace === undefined ? inherited.grace : toMs(options.grace, 'grace')
  const hardTimeout = options.hardTimeout === undefined ? inherited.hardTimeout : toTimerMs(options.hardTimeout, 'hardTimeout')
  const refresh = options.refresh ?? inherited.refresh
  let softTimeout = options.softTimeout === undefined ? inherited.softTimeout : toTimerMs(options.softTimeout, 'softTimeout')

  if (typeof refresh !== 'number' || !(refresh === 0 || (refresh > 0 && refresh < 1))) {
    throw new InvalidOptionError('refresh is the part of the TTL after which to renew, above 0 and below 1, such as 0.8; 0 is off')
  }
  if (options.onError !== undefined && typeof options.onError !== 'function') throw new InvalidOptionError('onError must be a function')
  if (grace === 0) {
    if (options.softTimeout !== undefined && softTimeout > 0) {
      throw new InvalidOptionError('softTimeout needs grace: without it there is no stale value to serve when the time is up')
    }
    // Inherited: a call that turns grace off turns off what depends on it.
    softTimeout = 0
  }
  if (softTimeout > 0 && hardTimeout > 0 && softTimeout >= hardTimeout) {
    throw new InvalidOptionError('softTimeout must be shorter than hardTimeout, or it would never be reached')
  }
  // Only where one of them is given: a call that merely has a longer TTL than its defaults is not at fault.
  const isGivenHere = options.grace !== undefined || options.refresh !== undefined
  if (isGivenHere && grace > 0 && refresh > 0 && grace < (1 - refresh) * ttl) {
    throw new InvalidOptionError(
      'grace must be at least as long as the time between refresh and the end of the TTL: a renewal that fails in that time is retried in grace. Lengthen grace or raise refresh',
    )
  }
  const { jitterPart, jitterMs } = options.jitter === undefined ? inherited : jitter(options.jitter)
  // Made at every call with options: another object spread further down would cost more than all the rest.
  return {
    ...inherited,
    ttl,
    grace,
    graceRetry: options.graceRetry === undefined ? inherited.graceRetry : toMs(options.graceRetry, 'graceRetry'),
    softTimeout,
    hardTimeout,
    refresh,
    jitterPart,
    jitterMs,
    cacheNull: flag(options.cacheNull, 'cacheNull', inherited.cacheNull),
    onError: options.onError ?? inherited.onError,
  }
}

function jitter(value: number | Duration): Pick<Policy, 'jitterPart' | 'jitterMs'> {
  if (typeof value === 'string') return { jitterPart: 0, jitterMs: toMs(value, 'jitter') }
  if (typeof value !== 'number' || !(value >= 0 && value < 1)) {
    throw new InvalidOptionError("jitter is a part of the TTL, from 0 up to (not including) 1, or a duration such as '30s'")
  }
  return { jitterPart: value, jitterMs: 0 }
}

function flag(value: boolean | undefined, name: string, byDefault: boolean): boolean {
  if (value === undefined) return byDefault
  if (typeof value !== 'boolean') throw new InvalidOptionError(`${name} must be true or false`)
  return value
}

function count(value: number | undefined, name: string, byDefault: number, most: number): number {
  if (value === undefined) return byDefault
  if (!Number.isInteger(value) || value < 1 || value > most) throw new InvalidOptionError(`${name} must be a whole number from 1 to ${most}`)
  return value
}

function checkNames(options: object, known: ReadonlySet<string>, of: string): void {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError(`The options of ${of} are an object`)
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw new InvalidOptionError(`${of} has no option '${name.slice(0, 40)}'. It has: ${[...known].join(', ')}`)
  }
}
