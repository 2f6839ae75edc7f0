import { containerBytes, scalarBytes, slotBytes, stringBytes } from './footprint.js'
import { CarefulWalk, type ValueLimits } from './careful-walk.js'

/**
 * Which of the two encodings carries a value: `'json'` when `JSON.stringify` keeps all that is kept of it, `'rich'` when it takes superjson.
 */
export type ValueForm = 'json' | 'rich'

/** What `survey` found out about a value. */
export interface Survey {
  /** Estimate of the heap the value takes, in bytes. A part that is shared counts once for every place it is in. */
  readonly bytes: number
  readonly form: ValueForm
}

/** The limits of a value when none are given: 500 levels, 16 MiB. */
export const defaultLimits: ValueLimits = { maxDepth: 500, maxBytes: 16 * 1024 * 1024 }

const plainPrototype = Object.prototype
const notPlain = -1

/**
 * Looks a value over before it is stored: how large it is, how it will be encoded, and whether it can be kept at all.
 *
 * Kept exactly: JSON, and Date, Map, Set, BigInt, URL, RegExp (without `lastIndex`), Error (name, message, cause and fields, without
 * the stack), typed arrays, Buffer, `undefined` fields, NaN, infinities and -0. What comes back from bytes is plain where the
 * value was not: a class instance is its own enumerable fields, an object with `toJSON` is what that gave, an array is its elements.
 *
 * @throws UncacheableValueError for what cannot be kept: functions, symbols, symbol-keyed fields, promises, streams and other
 * live objects, boxed primitives, sparse arrays (`'type'`), cycles (`'circular'`), a value past a limit (`'too-deep'`, `'too-large'`),
 * getters and proxies that throw (`'unreadable'`). A value that needs superjson and has a field named `__proto__`, `constructor`
 * or `prototype` is refused too (`'type'`). It throws nothing else.
 */
export function survey(value: unknown, limits: ValueLimits = defaultLimits): Survey {
  const left = weighPlain(value, limits)
  if (left >= 0) return { bytes: limits.maxBytes - left, form: 'json' }
  // Most values never get here, so the walk that can say why, and that knows the other types, may take its time.
  const walk = new CarefulWalk(limits, false)
  walk.run(value)
  return { bytes: walk.bytes, form: walk.rich ? 'rich' : 'json' }
}

function weighPlain(value: unknown, limits: ValueLimits): number {
  try {
    return weigh(value, limits.maxBytes, limits.maxDepth)
  } catch {
    return notPlain
  }
}

/**
 * Gives what is left of `left` bytes after `value`, or less than zero for all that is not plain JSON within the limits. It keeps no
 * state of its own, because a getter it runs may well store something in a cache, which surveys again.
 */
function weigh(value: unknown, left: number, depth: number): number {
  switch (typeof value) {
    case 'string':
      return left - stringBytes(value)
    case 'number':
      // NaN and the infinities minus themselves are NaN; only -0 divides 1 into something negative.
      return value - value === 0 && (value !== 0 || 1 / value > 0) ? left - scalarBytes : notPlain
    case 'boolean':
      return left - scalarBytes
    case 'object':
      break
    default:
      return notPlain
  }
  if (value === null) return left - scalarBytes
  if (depth <= 0 || (value as { toJSON?: unknown }).toJSON !== undefined) return notPlain
  if (Array.isArray(value)) return weighArray(value, left, depth)
  if (Object.getPrototypeOf(value) !== plainPrototype || Object.getOwnPropertySymbols(value).length > 0) return notPlain
  left -= containerBytes
  // Visiting with for-in reads the key list V8 caches with the object's shape; Object.keys would copy it for every object.
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key]
    left -= slotBytes + key.length
    left = typeof field === 'string' ? left - stringBytes(field) : weigh(field, left, depth - 1)
    if (left < 0) return notPlain
  }
  return left
}

function weighArray(items: readonly unknown[], left: number, depth: number): number {
  const length = items.length
  left -= containerBytes + slotBytes * length
  // Before the loop, so that an array of a huge length costs nothing to refuse.
  if (left < 0) return notPlain
  for (let i = 0; i < length; i++) {
    const item = items[i]
    left = typeof item === 'string' ? left - stringBytes(item) : weigh(item, left, depth - 1)
    if (left < 0) return notPlain
  }
  return left
}
