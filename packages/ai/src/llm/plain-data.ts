import { types } from 'node:util'

const MAX_DEPTH = 100

/** A copy that shares nothing with what it was made of. Throws for what is not data: functions, instances of classes other than dates and byte arrays, what contains itself. */
export function copyOf<T>(value: T): T {
  return copy(value, MAX_DEPTH) as T
}

/** The same for what goes from hand to hand and is not kept: what cannot be copied is given as it is. */
export function copyIfData<T>(value: T): T {
  try {
    return copyOf(value)
  } catch {
    return value
  }
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError('A function is no data')
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) throw new TypeError('Too deep to be an answer')
  if (Array.isArray(value)) return value.map((each) => copy(each, depth - 1))
  if (types.isUint8Array(value)) return Uint8Array.from(value)
  if (types.isDate(value)) return new Date(value)
  if (value instanceof URL) return new URL(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw new TypeError('An instance of a class is no data')
  // Defines fields rather than sets them: one may be called `__proto__`.
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copy(field, depth - 1)]))
}

/** About how many bytes data takes as JSON, without making it. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 6
  if (types.isUint8Array(value)) return value.byteLength
  let size = 2
  for (const [name, field] of Object.entries(value)) size += name.length + 4 + sizeOf(field)
  return size
}
