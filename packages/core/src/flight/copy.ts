import { createDefaultCodec, defaultLimits } from '../codec/index.js'

// How large a value may be is decided where it is kept.
const codec = createDefaultCodec({ ...defaultLimits, maxBytes: Number.POSITIVE_INFINITY })

/** A copy with the types the codec keeps: what a process that reads the value from Redis would be given. */
export function copyOf<T>(value: T): T {
  return typeof value === 'object' && value !== null ? (codec.decode(codec.encode(value)) as T) : value
}

/** As `copyOf`; but what cannot be copied is given as it is, since it cannot be kept either and so has no other reader. */
export function copyIfPossible<T>(value: T): T {
  try {
    return copyOf(value)
  } catch {
    return value
  }
}
