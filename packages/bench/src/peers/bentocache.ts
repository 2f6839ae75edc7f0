import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { roomForEntries, ttlMs, type Peer } from './peer.js'

/** As it comes: values are kept as JSON, and every hit parses it. */
export const bentocache: Peer = peerOf('bentocache', true)

/** Told to keep the values themselves, as Tiercel does. */
export const bentocacheByReference: Peer = peerOf('bentocache, serialize: false', false)

function peerOf(name: string, serialize: boolean): Peer {
  return {
    name,
    copies: serialize,
    open(load) {
      const memory = serialize ? memoryDriver({ maxItems: roomForEntries }) : memoryDriver({ maxItems: roomForEntries, serialize: false })
      const cache = new BentoCache({ default: 'memory', ttl: ttlMs, stores: { memory: bentostore().useL1Layer(memory) } })
      return {
        read: (key) => cache.getOrSet({ key, factory: () => load(key) }),
        async readEach(keys) {
          let sum = 0
          for (const key of keys) sum += (await cache.getOrSet({ key, factory: () => load(key) })).id
          return sum
        },
        close: () => cache.disconnectAll(),
      }
    },
  }
}
