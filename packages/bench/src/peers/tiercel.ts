import { createCache, type Cache } from '@tiercel/core'
import { roomForEntries, ttlMs, type Peer } from './peer.js'

/** In memory only, whatever `REDIS_URL` says. The bound on bytes is as generous as the peers', who have none. */
export function openTiercel(options: { readonly clone?: boolean } = {}): Cache {
  return createCache({ ...options, redis: false, ttl: ttlMs, memory: { maxEntries: roomForEntries, maxBytes: 2 ** 30 } })
}

export const tiercel: Peer = {
  name: 'getOrSet',
  copies: false,
  open(load) {
    const cache = openTiercel()
    return {
      read: (key) => cache.getOrSet(key, () => load(key)),
      async readEach(keys) {
        let sum = 0
        for (const key of keys) sum += (await cache.getOrSet(key, () => load(key))).id
        return sum
      },
      close: () => cache.close(),
    }
  },
}
