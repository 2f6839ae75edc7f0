import { TiercelError } from './tiercel-error.js'

/** A load took longer than `hardTimeout`, and nothing stale could be served in its place. It goes on in the background. */
export class LoadTimeoutError extends TiercelError {
  readonly code = 'TIERCEL_LOAD_TIMEOUT'
}

/** A loader called `ctx.notModified()` when there was no previous entry to renew. */
export class NothingStaleError extends TiercelError {
  readonly code = 'TIERCEL_NOTHING_STALE'
}

/** A queue has as many items as it may, and takes no more until some of them are taken; or a denylist as many revocations that Redis does not have yet. */
export class QueueFullError extends TiercelError {
  readonly code = 'TIERCEL_QUEUE_FULL'
}

/** Others change the same thing so often that a change of ours did not come through. It can be tried again. */
export class ConflictError extends TiercelError {
  readonly code = 'TIERCEL_CONFLICT'
}

/** Somebody else had a lock for longer than `wait`. It can be tried again. */
export class LockTimeoutError extends TiercelError {
  readonly code = 'TIERCEL_LOCK_TIMEOUT'
}

/** A lock is not held any more although it was not released: it was not extended in time, or Redis has lost it. Somebody else may hold it. */
export class LockLostError extends TiercelError {
  readonly code = 'TIERCEL_LOCK_LOST'
}

/** A call on a cache that was closed. */
export class ClosedError extends TiercelError {
  readonly code = 'TIERCEL_CLOSED'
}
