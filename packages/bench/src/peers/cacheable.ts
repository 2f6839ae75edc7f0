import { Cacheable, createKeyv } from 'cacheable'
import type { Sample } from '../values.js'
import { roomForEntries, ttlMs, type Peer } from './peer.js'

/** As it comes, but bounded: every reader is given a copy. */
export const cacheable: Peer = peerOf('cacheable', true)

/** Told to give the values themselves, as Tiercel does. */
export const cacheableByReference: Peer = peerOf('cacheable, useClone: false', false)

function peerOf(name: string, useClone: boolean): Peer {
  return {
    name,
    copies: useClone,
    open(load) {
      const cache = new Cacheable({ ttl: ttlMs, primary: createKeyv({ ttl: ttlMs, lruSize: roomForEntries, useClone }) })
      return {
        read: (key) => cache.getOrSet(key, () => load(key)) as Promise<Sample>,
        async readEach(keys) {
          let sum = 0
          for (const key of keys) sum += ((await cache.getOrSet(key, () => load(key))) as Sample).id
          return sum
        },
        close: () => cache.disconnect(),
      }
    },
  }
}
