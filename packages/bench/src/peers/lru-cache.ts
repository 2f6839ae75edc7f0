import { LRUCache } from 'lru-cache'
import type { Sample } from '../values.js'
import { roomForEntries, ttlMs, type Load, type Peer } from './peer.js'

/** Judges every hit by its TTL, with a clock that it reads at most once per millisecond. */
export const lruCache: Peer = peerOf('lru-cache fetch', (load) => new LRUCache({ max: roomForEntries, ttl: ttlMs, fetchMethod: load }))

/** As little as it can do: nothing ever expires. */
export const lruCacheWithoutTtl: Peer = peerOf('lru-cache fetch, no TTL', (load) => new LRUCache({ max: roomForEntries, fetchMethod: load }))

function peerOf(name: string, make: (load: Load) => LRUCache<string, Sample>): Peer {
  return {
    name,
    copies: false,
    open(load) {
      const cache = make(load)
      return {
        read: (key) => cache.fetch(key) as Promise<Sample>,
        async readEach(keys) {
          let sum = 0
          for (const key of keys) sum += ((await cache.fetch(key)) as Sample).id
          return sum
        },
        async close() {
          cache.clear()
        },
      }
    },
  }
}
