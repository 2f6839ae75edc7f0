import { cachified as cached, type CacheEntry } from '@epic-web/cachified'
import { LRUCache } from 'lru-cache'
import type { Sample } from '../values.js'
import { roomForEntries, ttlMs, type Peer } from './peer.js'

/** Over an lru-cache, as its manual shows. */
export const cachified: Peer = {
  name: 'cachified over lru-cache',
  copies: false,
  open(load) {
    const cache = new LRUCache<string, CacheEntry<Sample>>({ max: roomForEntries })
    return {
      read: (key) => cached({ key, cache, ttl: ttlMs, getFreshValue: () => load(key) }),
      async readEach(keys) {
        let sum = 0
        for (const key of keys) sum += (await cached({ key, cache, ttl: ttlMs, getFreshValue: () => load(key) })).id
        return sum
      },
      async close() {
        cache.clear()
      },
    }
  },
}
