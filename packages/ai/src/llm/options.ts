import { InvalidOptionError, type Cache, type CacheOptions, type Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import type { Secret } from './key.js'
import { resolvePolicy, type Policy, type PolicyOptions } from './policy.js'
import { checkScopeOption, type ScopeOption } from './scope.js'
import type { Price, Prices } from './usage.js'

/** Options of a cache that is made for the purpose. */
export type OwnCacheOptions = Pick<
  CacheOptions,
  'name' | 'redis' | 'prefix' | 'deadline' | 'connectTimeout' | 'maxStaleness' | 'failover' | 'compression' | 'encryption' | 'serverId' | 'memory' | 'maxValueBytes' | 'logger'
>

/** Options of `createLLMCache`. Those of `createCache` among them are for a cache of its own, and contradict `cache`. */
export interface LLMCacheOptions extends OwnCacheOptions {
  /** Where answers are kept: a cache made by `createCache`. Default: one of its own, with `redis` or `REDIS_URL` shared through Redis. */
  cache?: Cache | undefined
  /** The namespace of `cache` that the answers are in. It is to be nobody else's. Default `'llm'`. */
  namespace?: string | undefined
  /**
   * Who shares answers with whom. Required: the name of a tenant or user, a function that gives it for the call at hand, or `'public'` to share with everybody. It lies inside
   * every key, so two scopes never share, not even a call under way. A call for which a function gives `undefined` or nothing is neither cached nor shared.
   */
  scope: ScopeOption
  /** How long an answer is kept. Default `'1h'`. `0` stores nothing. */
  ttl?: Duration | undefined
  /** How old an answer may become, whatever the `ttl` of a call says. Default `'7d'`. */
  maxAge?: Duration | undefined
  /** Which answers are stored. */
  policy?: PolicyOptions | undefined
  /** What an answer that is not the model's first reports as used. `'zero'`: nothing, so that no budget counts it twice; `'original'`: what the first did. Default `'zero'`. */
  usage?: 'zero' | 'original' | undefined
  /** What models cost, for `stats().saved.cost`. Default: nothing is known. */
  prices?: Prices | undefined
  /** Makes keys that nobody can compute who has not the secret, by HMAC: at least 16 bytes. Processes that share answers need the same one. Default: plain SHA-256. */
  secret?: Secret | undefined
}

/** The options with nothing left to decide. */
export interface LLMSettings {
  readonly cache: Cache | undefined
  readonly own: OwnCacheOptions
  readonly namespace: string
  readonly scope: ScopeOption
  readonly ttlMs: number
  readonly maxAgeMs: number
  readonly policy: Policy
  readonly hidesUsage: boolean
  readonly prices: Prices
  readonly secret: Secret | undefined
}

const OF_OWN_CACHE = [
  'name', 'redis', 'prefix', 'deadline', 'connectTimeout', 'maxStaleness', 'failover', 'compression', 'encryption', 'serverId', 'memory', 'maxValueBytes', 'logger',
] as const
const NAMES = new Set<string>(['cache', 'namespace', 'scope', 'ttl', 'maxAge', 'policy', 'usage', 'prices', 'secret', ...OF_OWN_CACHE])
const SHORTEST_SECRET = 16

/** @throws {InvalidOptionError} */
export function resolveOptions(options: LLMCacheOptions): LLMSettings {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError("createLLMCache takes an object of options: { scope: 'public' }")
  const unknown = Object.keys(options).find((name) => !NAMES.has(name))
  if (unknown !== undefined) throw new InvalidOptionError(`createLLMCache has no option '${unknown.slice(0, 40)}'. It has: ${[...NAMES].join(', ')}`)
  const { cache, namespace = 'llm', scope, ttl = '1h', maxAge = '7d', usage = 'zero', prices = {}, secret } = options
  checkScopeOption(scope)
  const own = Object.fromEntries(OF_OWN_CACHE.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]))
  if (cache !== undefined) checkCache(cache, Object.keys(own))
  if (usage !== 'zero' && usage !== 'original') throw new InvalidOptionError("usage is 'zero' or 'original'")
  checkPrices(prices)
  if (secret !== undefined) checkSecret(secret)
  const maxAgeMs = toMs(maxAge, 'maxAge')
  return {
    cache,
    own,
    namespace,
    scope,
    ttlMs: Math.min(toMs(ttl, 'ttl'), maxAgeMs),
    maxAgeMs,
    policy: resolvePolicy(options.policy),
    hidesUsage: usage === 'zero',
    prices,
    secret,
  }
}

function checkCache(cache: Cache, own: readonly string[]): void {
  if (typeof cache?.getOrSet !== 'function' || typeof cache.namespace !== 'function') throw new InvalidOptionError('The option cache is a cache, made by createCache of @tiercel/core')
  if (own.length > 0) throw new InvalidOptionError(`${own.join(', ')}: for a cache of its own. Give it to the createCache that made the option cache`)
}

function checkPrices(prices: Prices): void {
  const isAmount = (amount: unknown) => typeof amount === 'number' && amount >= 0
  const isPrice = ({ input, cachedInput, output }: Partial<Price>) => isAmount(input) && isAmount(output) && (cachedInput === undefined || isAmount(cachedInput))
  if (typeof prices === 'object' && prices !== null && Object.values(prices).every((price) => typeof price === 'object' && price !== null && isPrice(price))) return
  throw new InvalidOptionError("prices are by the id of the model, per million tokens: { 'gpt-5': { input: 1.25, output: 10 } }")
}

function checkSecret(secret: unknown): void {
  const bytes = typeof secret === 'string' ? Buffer.byteLength(secret) : secret instanceof Uint8Array ? secret.byteLength : 0
  if (bytes < SHORTEST_SECRET) throw new InvalidOptionError(`secret is a text or bytes, at least ${SHORTEST_SECRET} of them`)
}
