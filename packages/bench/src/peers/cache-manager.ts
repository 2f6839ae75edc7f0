import { createCache } from 'cache-manager'
import { ttlMs, type Peer } from './peer.js'

/** As it comes: a Keyv over a Map, which it does not bound. */
export const cacheManager: Peer = {
  name: 'cache-manager',
  copies: false,
  open(load) {
    const cache = createCache({ ttl: ttlMs })
    return {
      read: (key) => cache.wrap(key, () => load(key)),
      async readEach(keys) {
        let sum = 0
        for (const key of keys) sum += (await cache.wrap(key, () => load(key))).id
        return sum
      },
      close: () => cache.disconnect(),
    }
  },
}
