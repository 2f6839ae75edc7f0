import { globMatcher } from '../coherence/index.js'
import { InvalidTargetError } from '../errors/index.js'
import { checkKey, checkTag } from '../options/index.js'

/** What to invalidate or expire. Several fields name all that any of them names. */
export interface InvalidateTarget {
  key?: string
  keys?: Iterable<string>
  tag?: string
  tags?: Iterable<string>
  room?: string
  rooms?: Iterable<string>
  /** A glob over the keys of this namespace: `*`, `?`, `[a-z]`, and `\` before a character that is meant literally. */
  pattern?: string
  /** Everything in this namespace and those below it. */
  all?: boolean
}

export interface InvalidateResult {
  /** Whether it reached all there is to reach. Without Redis always true. */
  readonly durable: boolean
  /** How many values were dropped, where that is known: of keys and patterns. */
  readonly count?: number
}

export interface Targets {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
  readonly rooms: readonly string[]
  readonly pattern: string | undefined
  readonly all: boolean
  /** Whether keys or a pattern were named, so that it can be said how many values were there. */
  readonly isCounted: boolean
}

const FIELDS = ['key', 'keys', 'tag', 'tags', 'room', 'rooms', 'pattern', 'all']

/** @throws {InvalidTargetError | InvalidKeyError | InvalidTagError} */
export function resolveTarget(target: InvalidateTarget): Targets {
  if (typeof target !== 'object' || target === null) throw new InvalidTargetError("Say what to invalidate, such as { key: 'user:1' } or { room: '42' }")
  const unknown = Object.keys(target).find((field) => !FIELDS.includes(field))
  if (unknown !== undefined) throw new InvalidTargetError(`Nothing can be invalidated by '${unknown.slice(0, 40)}'. It is one of: ${FIELDS.join(', ')}`)
  // A field that is there and undefined is a lost variable: dropping nothing would hide it.
  for (const [field, value] of Object.entries(target)) {
    if (value === undefined || value === null) throw new InvalidTargetError(`${field} is ${value}: nothing would be invalidated. Leave the field out or give it a value`)
  }
  const { all = false, pattern } = target
  if (typeof all !== 'boolean') throw new InvalidTargetError('all is true or left out')
  const targets: Targets = {
    keys: list(target.key, target.keys, 'keys'),
    tags: list(target.tag, target.tags, 'tags'),
    rooms: list(target.room, target.rooms, 'rooms'),
    pattern,
    all,
    isCounted: target.key !== undefined || target.keys !== undefined || pattern !== undefined,
  }
  if (pattern !== undefined) globMatcher(pattern)
  targets.keys.forEach((key) => checkKey(key))
  targets.tags.forEach((tag) => checkTag(tag))
  targets.rooms.forEach((room) => checkTag(room, 'room'))
  const named = target.key ?? target.keys ?? target.tag ?? target.tags ?? target.room ?? target.rooms ?? pattern
  if (named === undefined && !all) throw new InvalidTargetError("Say what to invalidate, such as { key: 'user:1' }, { room: '42' } or { all: true }")
  return targets
}

function list(one: string | undefined, many: Iterable<string> | undefined, field: string): string[] {
  if (many !== undefined && (typeof many !== 'object' || !(Symbol.iterator in many))) throw new InvalidTargetError(`${field} must be an array of strings`)
  const items = many === undefined ? [] : [...many]
  return one === undefined ? items : [one, ...items]
}
