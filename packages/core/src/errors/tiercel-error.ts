/** Every code an error of Tiercel can carry. Codes are stable: match on them, not on messages. */
export type ErrorCode =
  | 'TIERCEL_INVALID_KEY'
  | 'TIERCEL_INVALID_TAG'
  | 'TIERCEL_INVALID_OPTION'
  | 'TIERCEL_INVALID_TARGET'
  | 'TIERCEL_INVALID_ENV'
  | 'TIERCEL_INVALID_ARGUMENT'
  | 'TIERCEL_UNCACHEABLE'
  | 'TIERCEL_LOAD_TIMEOUT'
  | 'TIERCEL_NOTHING_STALE'
  | 'TIERCEL_CLOSED'
  | 'TIERCEL_REDIS_UNAVAILABLE'
  | 'TIERCEL_REDIS_TIMEOUT'
  | 'TIERCEL_REDIS_REFUSED'
  | 'TIERCEL_MISSING_PEER'
  | 'TIERCEL_MISSING_PROGRAM'
  | 'TIERCEL_TEST_SERVER'
  | 'TIERCEL_QUEUE_FULL'
  | 'TIERCEL_CONFLICT'
  | 'TIERCEL_LOCK_TIMEOUT'
  | 'TIERCEL_LOCK_LOST'

const marker = Symbol.for('tiercel.error')

/**
 * What all errors of Tiercel have in common: a stable `code` and a message that says what to do.
 *
 * `TiercelError.is(error)` also recognises errors that another copy of the package threw (a CommonJS and an
 * ES module half in one process), which `instanceof` does not.
 */
export abstract class TiercelError extends Error {
  abstract readonly code: ErrorCode
  readonly [marker] = true

  static is(error: unknown): error is TiercelError {
    return typeof error === 'object' && error !== null && marker in error
  }

  override get name(): string {
    return this.constructor.name
  }
}
