import { TiercelError } from './tiercel-error.js'

/** A key that is empty, not a string, too long, or not well-formed Unicode. */
export class InvalidKeyError extends TiercelError {
  readonly code = 'TIERCEL_INVALID_KEY'
}

/** A tag or room that is empty, not a string, too long, or one too many. */
export class InvalidTagError extends TiercelError {
  readonly code = 'TIERCEL_INVALID_TAG'
}

/** An option that does not exist, has a value it cannot have, or contradicts another one. */
export class InvalidOptionError extends TiercelError {
  readonly code = 'TIERCEL_INVALID_OPTION'
}

/** What `invalidate` or `expire` was asked to drop names nothing, or something that does not exist. */
export class InvalidTargetError extends TiercelError {
  readonly code = 'TIERCEL_INVALID_TARGET'
}

/** An environment variable with a value it cannot have. The message names the variable and never a secret. */
export class InvalidEnvironmentError extends TiercelError {
  readonly code = 'TIERCEL_INVALID_ENV'
}

/** An argument that is neither key, tag nor option: a loader that is no function, entries that are no pairs. */
export class InvalidArgumentError extends TiercelError {
  readonly code = 'TIERCEL_INVALID_ARGUMENT'
}
