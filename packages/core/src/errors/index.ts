export { TiercelError, type ErrorCode } from './tiercel-error.js'
export { InvalidArgumentError, InvalidEnvironmentError, InvalidKeyError, InvalidOptionError, InvalidTagError, InvalidTargetError } from './bad-input.js'
export { UncacheableValueError, type UncacheableReason } from './uncacheable-value.js'
export { ClosedError, LoadTimeoutError, NothingStaleError } from './failed-call.js'
