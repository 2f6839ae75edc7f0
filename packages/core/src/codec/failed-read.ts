import { UncacheableValueError } from '../errors/index.js'

/** What to tell of an exception that came out of a value while it was being read or written. */
export function asUncacheable(error: unknown): UncacheableValueError {
  if (error instanceof UncacheableValueError) return error
  if (error instanceof RangeError && error.message.startsWith('Maximum call stack')) {
    return new UncacheableValueError('too-deep', 'The value is nested too deeply for the call stack it was stored from.')
  }
  if (error instanceof RangeError && error.message.startsWith('Invalid string length')) {
    return new UncacheableValueError('too-large', 'The value does not fit into one string once it is encoded.')
  }
  return new UncacheableValueError('unreadable', 'Reading the value threw: a getter, a toJSON or a proxy in it fails.', { cause: error })
}
