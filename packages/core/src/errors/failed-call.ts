import { TiercelError } from './tiercel-error.js'

/** A load took longer than `hardTimeout`, and nothing stale could be served in its place. It goes on in the background. */
export class LoadTimeoutError extends TiercelError {
  readonly code = 'TIERCEL_LOAD_TIMEOUT'
}

/** A loader called `ctx.notModified()` when there was no previous entry to renew. */
export class NothingStaleError extends TiercelError {
  readonly code = 'TIERCEL_NOTHING_STALE'
}

/** A call on a cache that was closed. */
export class ClosedError extends TiercelError {
  readonly code = 'TIERCEL_CLOSED'
}
