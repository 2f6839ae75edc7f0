export { createCache, type Cache, type CacheHealth, type InvalidateResult, type InvalidateTarget, type WrapOptions, type Wrapped } from './cache/index.js'
export type { BatchContext, BatchLoader, LoadContext, Loader, StaleValue } from './flight/index.js'
export type { CacheEventName, CacheEvents, CacheListener, CacheStats, ConnectionStatus, Logger, Tier } from './observe/index.js'
export type { CacheOptions, CallOptions, Duration, EntryOptions, ErrorHandler, MemoryOptions } from './options/index.js'
export {
  ClosedError,
  InvalidArgumentError,
  InvalidEnvironmentError,
  InvalidKeyError,
  InvalidOptionError,
  InvalidTagError,
  InvalidTargetError,
  LoadTimeoutError,
  NothingStaleError,
  TiercelError,
  UncacheableValueError,
  type ErrorCode,
  type UncacheableReason,
} from './errors/index.js'
