import { TiercelError } from './tiercel-error.js'

/** Why a value cannot be kept. */
export type UncacheableReason = 'type' | 'circular' | 'too-deep' | 'too-large' | 'unreadable' | 'codec'

/**
 * A value that cannot be encoded. It is never thrown at a caller: the value is served and not kept, and this
 * error reaches the `error` event, `onError` and the `uncacheable` counter.
 */
export class UncacheableValueError extends TiercelError {
  readonly code = 'TIERCEL_UNCACHEABLE'
  readonly reason: UncacheableReason

  constructor(reason: UncacheableReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
