import type { Codec, CompressionOption, EncryptionOption } from '../codec/index.js'
import type { Logger } from '../observe/index.js'
import type { RedisTarget } from '../redis/index.js'
import type { Duration } from './duration.js'

/** Told of an error that did not reach the caller: a load that failed behind a stale value, a value that cannot be kept. */
export type ErrorHandler = (error: unknown, about: { readonly key: string }) => void

/** How one call reads, loads and stores. Each can be given as a default to `createCache` and `namespace`, and per call. */
export interface EntryOptions {
  /** How long a value is fresh. `0` stores nothing. Default `'5m'`. */
  ttl?: Duration | undefined
  /** How long past its TTL a value may be served when a load fails or is slow. Default `0`: never. */
  grace?: Duration | undefined
  /** After a load failed and grace served, how long until the next try. Default `'1s'`. */
  graceRetry?: Duration | undefined
  /** With a stale value at hand, how long a call waits for the load before it is served that. The load goes on. Default: as long as it takes. */
  softTimeout?: Duration | undefined
  /** How long a call waits for the load before it fails (or is served a stale value within grace). The load goes on. Default: as long as it takes. */
  hardTimeout?: Duration | undefined
  /** Renew in the background once this part of the TTL is gone: `0.8` is after 80%. Default: never. */
  refresh?: number | undefined
  /** Shorten each TTL at random by up to this part of it (`0.1`) or this time (`'30s'`), so that what was stored together does not expire together. Default `0`. */
  jitter?: number | Duration | undefined
  /** Whether `null` is kept like any other value. Default `true`. */
  cacheNull?: boolean | undefined
  /** Told of errors that the call itself did not throw. What it throws is ignored. */
  onError?: ErrorHandler | undefined
}

/** What one call may say beside the defaults. */
export interface CallOptions extends EntryOptions {
  /** Labels by which the entry can be invalidated together with others. At most 64. */
  tags?: readonly string[] | undefined
  /** The room the entry belongs to: one more label, in a space of its own. */
  room?: string | undefined
  /** `'read'` loads anew and stores, `'write'` reads and does not store, `'both'` only loads. */
  bypass?: 'read' | 'write' | 'both' | undefined
  /** `false` leaves the memory of this process out. */
  memory?: boolean | undefined
  /** `false` leaves Redis out. */
  redis?: boolean | undefined
  /** Gives up waiting. The load itself is aborted once nobody waits for it any more. */
  signal?: AbortSignal | undefined
}

export interface MemoryOptions {
  /** Most entries kept in the process. Default `10_000`. */
  maxEntries?: number | undefined
  /** Most bytes kept in the process, estimated from keys and values. Default 32 MiB. */
  maxBytes?: number | undefined
}

export interface OutageOptions {
  /** Serve what is in memory for so long, though nobody can say whether it was invalidated: gives up the bound of `maxStaleness`. */
  serve?: Duration | undefined
}

export interface AuditOptions {
  /** The part of the hits in memory that is looked at: above 0, at most 1. Default `0.001`. */
  sample?: number | undefined
  /** How long after a hit Redis is asked, and once more if it has another value; at least 100 ms. Default `'2s'`. */
  after?: Duration | undefined
}

/** Options of `createCache`. Those of `EntryOptions` are the defaults of every call. */
export interface CacheOptions extends EntryOptions {
  /** Namespace of all keys. Letters, digits, `.`, `_`, `-`; `:` separates levels. Default `'tiercel'`. */
  name?: string | undefined
  /**
   * The second tier: a URL (`redis:`, `rediss:`), options, or a client or cluster of `redis` or `ioredis`, which is duplicated and otherwise left alone. `false` for
   * none. Default: the environment's `REDIS_URL`, or none.
   */
  redis?: RedisTarget | false | undefined
  /** Begins the name of everything in Redis, such as `'app:'`. Letters, digits, `.`, `_`, `-` and `:`. Default none. */
  prefix?: string | undefined
  /** After how long at most any process stops serving what was invalidated, even one that is cut off from Redis. At least 50 ms. Default `'5s'`. */
  maxStaleness?: Duration | undefined
  /** How much time Redis may add to one call, whatever state it is in. Default 250 ms. */
  deadline?: Duration | undefined
  /** How long a server may take to accept a connection, encrypt it and check the password. Calls wait no longer than their deadline; nor does one attempt that hangs keep others from being made. Default `'5s'`. */
  connectTimeout?: Duration | undefined
  /** While Redis is away. */
  outage?: OutageOptions | undefined
  /** Whether values in Redis outlive a restart or failover of it. It may have lost the last invalidations, so by default they do not: `'invalidate'`. `'keep'` takes the risk. */
  failover?: 'invalidate' | 'keep' | undefined
  /** Look some of what memory serves up in Redis a little later, and count what differs in `stats()`. Default: none. */
  audit?: AuditOptions | undefined
  /** Another format for values in Redis. Default: JSON, and superjson for what JSON does not keep. */
  codec?: Codec | undefined
  /** Compress values in Redis. Default `false`. */
  compression?: CompressionOption | undefined
  /** Encrypt values in Redis by AES-256-GCM. Default: none. */
  encryption?: EncryptionOption | undefined
  /** Names this process to the others, in messages. Default: a random name. */
  serverId?: string | undefined
  /** Bounds of the first tier. */
  memory?: MemoryOptions | undefined
  /** Give every reader its own copy of a value from memory, made by the codec: it has the types that a value read from Redis has. Default `false`: all get the same object. */
  clone?: boolean | undefined
  /** Largest value that is kept, in bytes as estimated in memory. Default 16 MiB. */
  maxValueBytes?: number | undefined
  /** Told of errors nobody else is told of. Any logger with `warn`, such as pino or `console`. */
  logger?: Logger | undefined
}
