import type { Logger } from '../observe/index.js'
import type { Duration } from './duration.js'

/** Told of an error that did not reach the caller: a load that failed behind a stale value, a value that cannot be kept. */
export type ErrorHandler = (error: unknown, about: { readonly key: string }) => void

/** How one call reads, loads and stores. Each can be given as a default to `createCache` and `namespace`, and per call. */
export interface EntryOptions {
  /** How long a value is fresh. `0` stores nothing. Default `'5m'`. */
  ttl?: Duration
  /** How long past its TTL a value may be served when a load fails or is slow. Default `0`: never. */
  grace?: Duration
  /** After a load failed and grace served, how long until the next try. Default `'1s'`. */
  graceRetry?: Duration
  /** With a stale value at hand, how long a call waits for the load before it is served that. The load goes on. Default: as long as it takes. */
  softTimeout?: Duration
  /** How long a call waits for the load before it fails (or is served a stale value within grace). The load goes on. Default: as long as it takes. */
  hardTimeout?: Duration
  /** Renew in the background once this part of the TTL is gone: `0.8` is after 80%. Default: never. */
  refresh?: number
  /** Shorten each TTL at random by up to this part of it (`0.1`) or this time (`'30s'`), so that what was stored together does not expire together. Default `0`. */
  jitter?: number | Duration
  /** Whether `null` is kept like any other value. Default `true`. */
  cacheNull?: boolean
  /** Told of errors that the call itself did not throw. What it throws is ignored. */
  onError?: ErrorHandler
}

/** What one call may say beside the defaults. */
export interface CallOptions extends EntryOptions {
  /** Labels by which the entry can be invalidated together with others. At most 64. */
  tags?: readonly string[]
  /** The room the entry belongs to: one more label, in a space of its own. */
  room?: string
  /** `'read'` loads anew and stores, `'write'` reads and does not store, `'both'` only loads. */
  bypass?: 'read' | 'write' | 'both'
  /** `false` leaves the memory of this process out. */
  memory?: boolean
  /** `false` leaves Redis out. */
  redis?: boolean
  /** Gives up waiting. The load itself is aborted once nobody waits for it any more. */
  signal?: AbortSignal
}

export interface MemoryOptions {
  /** Most entries kept in the process. Default `10_000`. */
  maxEntries?: number
  /** Most bytes kept in the process, estimated from keys and values. Default 32 MiB. */
  maxBytes?: number
}

/** Options of `createCache`. Those of `EntryOptions` are the defaults of every call. */
export interface CacheOptions extends EntryOptions {
  /** Namespace of all keys. Letters, digits, `.`, `_`, `-`; `:` separates levels. Default `'tiercel'`. */
  name?: string
  /** Bounds of the first tier. */
  memory?: MemoryOptions
  /** Give every reader its own copy (`structuredClone`) of a value from memory. Default `false`: all get the same object. */
  clone?: boolean
  /** Largest value that is kept, in bytes as estimated in memory. Default 16 MiB. */
  maxValueBytes?: number
  /** Told of errors nobody else is told of. Any logger with `warn` and `error`, such as pino or `console`. */
  logger?: Logger
}
