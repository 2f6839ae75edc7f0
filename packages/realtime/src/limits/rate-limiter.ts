import { createHash } from 'node:crypto'
import type { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { ClosedError, type ConnectionStatus, type Duration, InvalidArgumentError, InvalidOptionError, MissingPeerError, RedisError } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { encodeId, wholeNumber } from '../backend/names.js'
import type { Keyspace } from '../keyspace/keyspace.js'
import { MemoryKeyspace } from '../keyspace/memory-keyspace.js'
import { consumeOperation, KeyspaceClient } from './keyspace-client.js'

const LONGEST_WINDOW_SECONDS = 31 * 86_400
const MOST_POINTS = 1_000_000_000
/** A longer key is told by its hash: it may have come from a client. */
const LONGEST_KEY = 200
/** So many keys are counted in memory while Redis is away. */
const MOST_LOCAL_KEYS = 10_000

/** What is answered while Redis cannot be asked: yes, no, or what this process has counted by itself. */
export type LimiterOutage = 'open' | 'closed' | 'local'

export interface RateLimiterOptions {
  /** Of the limit, in its keys and in headers: at most 64 letters, digits, dots, underscores and hyphens. Default `'default'`. */
  readonly name?: string
  /** So many points may be used in a window. */
  readonly limit: number
  /** How long it takes until all of it may be used again, from the first use on: whole seconds, at most 31 days. */
  readonly window: Duration
  /** What is answered while Redis cannot be asked. Default `'local'`. */
  readonly outage?: LimiterOutage
  /** So many points may be used in a window of one process while Redis is away, with `outage: 'local'`. Default: `limit`. */
  readonly localLimit?: number
}

export interface LimitDecision {
  readonly allowed: boolean
  /** Who decided: all processes together (without a Redis this one), this process by itself, or nobody but `outage`. */
  readonly by: 'shared' | 'local' | 'outage'
  readonly limit: number
  /** So many points are left. `undefined` when nobody has counted. */
  readonly remaining: number | undefined
  /** In so many ms all of it may be used again. `undefined` when nobody has counted. */
  readonly resetMs: number | undefined
}

export interface RateLimiterStats {
  /** How often since the beginning, as all others. */
  readonly allowed: number
  readonly refused: number
  /** Decided by this process alone. */
  readonly local: number
  /** Decided by `outage` alone. */
  readonly outage: number
}

export interface RateLimiterHealth {
  readonly healthy: boolean
  readonly outage: LimiterOutage
  readonly redis: ConnectionStatus
}

/**
 * So many points in a window, for each key, counted over all processes in one step of Redis. By `rate-limiter-flexible`: windows begin with the first use, and their whole limit
 * can be used at their end and again at the beginning of the next.
 */
export class RateLimiter {
  readonly name: string
  readonly limit: number
  readonly windowSeconds: number
  readonly #outage: LimiterOutage
  readonly #localLimit: number
  readonly #chosen: ChosenBackend
  readonly #counts = { allowed: 0, refused: 0, local: 0, outage: 0 }
  #counters: Promise<{ readonly shared: RateLimiterRedis; readonly local: RateLimiterRedis }> | undefined
  #isClosed = false

  constructor({ name = 'default', limit, window, outage = 'local', localLimit = limit, ...choice }: RateLimiterOptions & BackendChoice) {
    if (typeof name !== 'string' || !/^[A-Za-z0-9_.-]{1,64}$/.test(name)) throw new InvalidOptionError('name must be 1 to 64 letters, digits, dots, underscores and hyphens')
    if (!['open', 'closed', 'local'].includes(outage)) throw new InvalidOptionError(`outage is 'open', 'closed' or 'local'`)
    this.name = name
    this.limit = wholeNumber(limit, 'limit', 1, MOST_POINTS)
    this.windowSeconds = wholeNumber(toMs(window, 'window') / 1000, 'window, in seconds,', 1, LONGEST_WINDOW_SECONDS)
    this.#outage = outage
    this.#localLimit = wholeNumber(localLimit, 'localLimit', 1, MOST_POINTS)
    this.#chosen = chooseBackend(choice)
  }

  /**
   * Uses points of a key, if there are as many left. Points that were refused count as well: who goes on asking is not let in any sooner.
   *
   * @throws {InvalidKeyError} @throws {InvalidOptionError} @throws {MissingPeerError} when `rate-limiter-flexible` is not installed. Redis makes no call reject.
   * @example
   * const { allowed, resetMs } = await logins.consume(userName)
   */
  async consume(key: string, points = 1): Promise<LimitDecision> {
    const asked = wholeNumber(points, 'points', 1, MOST_POINTS)
    const decision = await this.#decide(keyName(key), asked)
    this.#counts[decision.allowed ? 'allowed' : 'refused']++
    if (decision.by !== 'shared') this.#counts[decision.by]++
    return decision
  }

  /**
   * All of the limit may be used again. Throws as `consume` does.
   *
   * @throws {RedisError} when Redis does not answer or refuses.
   */
  async reset(key: string): Promise<void> {
    const { shared, local } = await this.#open()
    await Promise.all([shared, local].map((counter) => counter.delete(keyName(key))))
  }

  /** Counts of this object, and of this process only. */
  stats(): RateLimiterStats {
    return { ...this.#counts }
  }

  /** Whether processes count together. Does not ask Redis. */
  health(): RateLimiterHealth {
    const { backend } = this.#chosen
    return { healthy: !this.#isClosed && !backend.isAway, outage: this.#outage, redis: backend.getConnectionStatus() }
  }

  /** Closes what it opened: nothing, when it was given a backend or uses that of the process. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#chosen.close()
  }

  async #decide(key: string, points: number): Promise<LimitDecision> {
    const { shared, local } = await this.#open()
    try {
      return await decisionOf(shared, key, points, 'shared')
    } catch (error) {
      if (!(error instanceof RedisError)) throw error
      if (this.#outage === 'local') return await decisionOf(local, key, points, 'local')
      return { allowed: this.#outage === 'open', by: 'outage', limit: this.limit, remaining: undefined, resetMs: undefined }
    }
  }

  #open(): Promise<{ readonly shared: RateLimiterRedis; readonly local: RateLimiterRedis }> {
    if (this.#isClosed) throw new ClosedError('The rate limiter was closed')
    // Many, and not all of them needed: it is loaded when there is something to count.
    this.#counters ??= import('rate-limiter-flexible').catch(missing).then(({ RateLimiterRedis: Counter }) => {
      const { keyspace, prefix } = this.#chosen.backend
      const counter = (on: Keyspace, points: number) =>
        new Counter({
          storeClient: new KeyspaceClient(on),
          useRedisPackage: true,
          customIncrTtlLuaScript: consumeOperation.script.source,
          keyPrefix: `${prefix}limit:${this.name}`,
          points,
          duration: this.windowSeconds,
        })
      return { shared: counter(keyspace, this.limit), local: counter(new MemoryKeyspace({ maxKeys: MOST_LOCAL_KEYS }), this.#localLimit) }
    })
    return this.#counters
  }
}

/** It rejects with the same that it resolves with when there is not enough left. */
async function decisionOf(counter: RateLimiterRedis, key: string, points: number, by: 'shared' | 'local'): Promise<LimitDecision> {
  const tell = (allowed: boolean) => ({ remainingPoints, msBeforeNext }: RateLimiterRes): LimitDecision => ({
    allowed,
    by,
    limit: counter.points,
    remaining: remainingPoints,
    resetMs: msBeforeNext,
  })
  return await counter.consume(key, points).then(tell(true), (refusal: unknown) => {
    if (refusal instanceof Error) throw refusal
    return tell(false)(refusal as RateLimiterRes)
  })
}

function keyName(key: string): string {
  if (typeof key !== 'string' || key === '') throw new InvalidArgumentError('The key of a limit is a string that is not empty')
  if (key.length > LONGEST_KEY) return `#${createHash('sha256').update(key).digest('base64url')}`
  return encodeId(key, 'key of the limit')
}

function missing(): never {
  throw new MissingPeerError('Rate limits need a package that cannot be loaded: npm install rate-limiter-flexible')
}

/**
 * @throws {InvalidOptionError}
 * @example
 * const logins = createRateLimiter({ name: 'login', limit: 5, window: '1m', outage: 'closed' })
 * app.post('/login', limitRequests({ limiter: logins }), login)
 */
export function createRateLimiter(options: RateLimiterOptions & BackendChoice): RateLimiter {
  return new RateLimiter(options)
}
