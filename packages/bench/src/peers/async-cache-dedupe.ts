import { createCache } from 'async-cache-dedupe'
import { roomForEntries, ttlMs, type Load, type Peer } from './peer.js'

/** Its TTL is in seconds, and its clock counts them. */
export const asyncCacheDedupe: Peer = {
  name: 'async-cache-dedupe',
  copies: false,
  open(load) {
    const cache = createCache({ ttl: ttlMs / 1000, storage: { type: 'memory', options: { size: roomForEntries } } }).define<Load, 'value', ReturnType<typeof createCache>>('value', load)
    return {
      read: (key) => cache.value(key),
      async readEach(keys) {
        let sum = 0
        for (const key of keys) sum += (await cache.value(key)).id
        return sum
      },
      close: () => cache.clear(),
    }
  },
}
