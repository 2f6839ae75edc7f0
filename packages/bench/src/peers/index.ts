import { asyncCacheDedupe } from './async-cache-dedupe.js'
import { bentocache, bentocacheByReference } from './bentocache.js'
import { cacheManager } from './cache-manager.js'
import { cacheable, cacheableByReference } from './cacheable.js'
import { cachified } from './cachified.js'
import { lruCache, lruCacheWithoutTtl } from './lru-cache.js'
import type { Peer } from './peer.js'

export { roomForEntries, ttlMs, type Load, type Peer, type Reader } from './peer.js'
export { openTiercel, tiercel } from './tiercel.js'

export const peers: readonly Peer[] = [
  lruCache,
  lruCacheWithoutTtl,
  cachified,
  asyncCacheDedupe,
  cacheableByReference,
  cacheable,
  cacheManager,
  bentocacheByReference,
  bentocache,
]
