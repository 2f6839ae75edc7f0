import { TiercelError } from './tiercel-error.js'

/** A program that a test needs, such as redis-server, was not found. The message says how to get it. */
export class MissingProgramError extends TiercelError {
  readonly code = 'TIERCEL_MISSING_PROGRAM'
}

/** A server that a test started did not do what it was told: it did not start, did not get ready, or refused a command. */
export class TestServerError extends TiercelError {
  readonly code = 'TIERCEL_TEST_SERVER'
}
