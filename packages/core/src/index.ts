export { createCache, type Cache, type CacheHealth, type InvalidateResult, type InvalidateTarget, type WrapOptions, type Wrapped } from './cache/index.js'
export type { BatchContext, BatchLoader, LoadContext, Loader, StaleValue } from './flight/index.js'
export type { CacheEventName, CacheEvents, CacheListener, CacheStats, ConnectionStatus, Logger, Tier } from './observe/index.js'
export { cacheOptionsFromEnv, type AuditOptions, type CacheOptions, type CallOptions, type Duration, type EntryOptions, type EnvironmentOptions, type ErrorHandler, type MemoryOptions, type OutageOptions } from './options/index.js'
export type { Codec, CompressionOption, EncryptionKey, EncryptionOption } from './codec/index.js'
export type { RedisOptions, RedisTarget } from './redis/index.js'
export {
  ClosedError,
  ConflictError,
  InvalidArgumentError,
  InvalidEnvironmentError,
  InvalidKeyError,
  InvalidOptionError,
  InvalidTagError,
  InvalidTargetError,
  LoadTimeoutError,
  MissingPeerError,
  NothingStaleError,
  QueueFullError,
  RedisError,
  RedisRefusedError,
  RedisTimeoutError,
  RedisUnavailableError,
  TiercelError,
  UncacheableValueError,
  type ErrorCode,
  type UncacheableReason,
} from './errors/index.js'
