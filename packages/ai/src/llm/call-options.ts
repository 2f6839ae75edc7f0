import { InvalidOptionError, type Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'

/** What one call may say, over the options of the cache. */
export interface LLMCallOptions {
  /** How long the answer is kept. `0` does not store it. */
  ttl?: Duration | undefined
  /** How old an answer may be that this call is given. */
  maxAge?: Duration | undefined
  /** `true` does not store what this call gives, and shares it with no other call. It may still be answered by what is stored. Default `false`. */
  noStore?: boolean | undefined
  /** `true` does not look into the cache and waits for no other call: the model is asked, and the answer stored anew. Default `false`. */
  refresh?: boolean | undefined
  /** Whose call it is, in place of what the option `scope` gives. */
  scope?: string | undefined
  /** Labels by which the answer can be invalidated together with others. */
  tags?: readonly string[] | undefined
}

/** The options of a call with nothing left to decide. */
export interface CallSettings {
  readonly ttlMs: number
  /** `Infinity` for any age. */
  readonly maxAgeMs: number
  readonly reads: boolean
  readonly stores: boolean
  readonly scope: string | undefined
  readonly tags: readonly string[]
}

export interface CallDefaults {
  readonly ttlMs: number
  readonly maxAgeMs: number
}

const NAMES = ['ttl', 'maxAge', 'noStore', 'refresh', 'scope', 'tags']
/** Some are ours: scope and model. */
const MOST_TAGS = 60
const LONGEST_TAG = 1000
const NONE: readonly string[] = []

/** @throws {InvalidOptionError} */
export function resolveCall(options: LLMCallOptions | undefined, defaults: CallDefaults): CallSettings {
  const { ttlMs: ttlByDefault, maxAgeMs: longest } = defaults
  if (options === undefined) return { ttlMs: ttlByDefault, maxAgeMs: longest, reads: true, stores: ttlByDefault > 0, scope: undefined, tags: NONE }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw new InvalidOptionError("The options of a call are an object, such as { ttl: '1h' }")
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw new InvalidOptionError(`A call has no option '${unknown.slice(0, 40)}'. It has: ${NAMES.join(', ')}`)
  const { ttl, maxAge, noStore, refresh, scope, tags = NONE } = options
  if (scope !== undefined && (typeof scope !== 'string' || scope === '')) throw new InvalidOptionError('scope is a name that is not empty')
  checkTags(tags)
  // A TTL beyond the age at which nothing may be served any more would only take room.
  const ttlMs = Math.min(ttl === undefined ? ttlByDefault : toMs(ttl, 'ttl'), longest)
  return {
    ttlMs,
    maxAgeMs: maxAge === undefined ? longest : Math.min(toMs(maxAge, 'maxAge'), longest),
    reads: !flag(refresh, 'refresh'),
    stores: !flag(noStore, 'noStore') && ttlMs > 0,
    scope,
    tags,
  }
}

export function checkTags(tags: unknown): asserts tags is readonly string[] {
  const areTags = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== '' && tag.length <= LONGEST_TAG && tag.isWellFormed())
  if (!areTags || tags.length > MOST_TAGS) throw new InvalidOptionError(`tags is a list of at most ${MOST_TAGS} texts of at most ${LONGEST_TAG} characters`)
}

function flag(value: unknown, name: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw new InvalidOptionError(`${name} must be true or false`)
  return value ?? false
}
