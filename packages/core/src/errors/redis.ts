import { TiercelError } from './tiercel-error.js'

/**
 * What went wrong between this process and Redis.
 *
 * Clients' own errors carry commands, values and passwords in their fields, so none of these has a `cause`: all that is
 * safe to tell is in the message.
 */
export abstract class RedisError extends TiercelError {}

/**
 * Redis cannot be reached, or the connection was closed or lost before the reply came. In the last case the command may
 * have been executed.
 */
export class RedisUnavailableError extends RedisError {
  readonly code = 'TIERCEL_REDIS_UNAVAILABLE'
}

/** No reply came in time. The command may have been executed, or may still be. */
export class RedisTimeoutError extends RedisError {
  readonly code = 'TIERCEL_REDIS_TIMEOUT'
}

/**
 * Why Redis refused a command.
 *
 * - `auth`: no, or wrong, user name and password
 * - `permission`: the user's ACL lacks a command, key pattern or channel
 * - `readonly`: the server is a replica
 * - `oom`: `maxmemory` is reached and nothing may be evicted
 * - `wrongtype`: the key holds another kind of value
 * - `loading`: the server is starting, or a replica has lost its primary
 * - `busy`: a script blocks the server
 * - `clusterdown`: the slot is not served, or is being moved
 * - `noscript`: the server does not know the script
 * - `other`: anything else
 */
export type RefusalReason =
  | 'auth'
  | 'permission'
  | 'readonly'
  | 'oom'
  | 'wrongtype'
  | 'loading'
  | 'busy'
  | 'clusterdown'
  | 'noscript'
  | 'other'

/** Redis answered with an error. The message says what to do about it. */
export class RedisRefusedError extends RedisError {
  readonly code = 'TIERCEL_REDIS_REFUSED'
  readonly reply: RefusalReason

  constructor(reply: RefusalReason, message: string) {
    super(message)
    this.reply = reply
  }
}

/** A package is not installed: neither of the Redis clients, or what another optional part needs. The message says what to install. */
export class MissingPeerError extends RedisError {
  readonly code = 'TIERCEL_MISSING_PEER'
}
