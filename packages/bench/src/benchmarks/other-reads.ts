import type { Cache } from '@tiercel/core'
import { LRUCache } from 'lru-cache'
import { openTiercel, roomForEntries, ttlMs, type Load } from '../peers/index.js'
import type { Sample } from '../values.js'

/** A way to read: filled once, then read in a loop of its own, for the reason given at `Reader.readEach`. */
export interface ReadLoop {
  readonly name: string
  /** As of a `Peer`. */
  readonly copies: boolean
  open(load: Load): {
    fill(keys: readonly string[]): Promise<unknown>
    read(key: string): unknown
    readEach(keys: readonly string[]): number | Promise<number>
    close(): Promise<void>
  }
}

const tagged: ReadLoop = {
  name: 'getOrSet, two tags',
  copies: false,
  open(load) {
    const cache = openTiercel()
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await cache.getOrSet(key, () => load(key), { tags: ['users', 'team:7'] })).id
      return sum
    }
    return { fill: readEach, read: (key) => cache.get(key), readEach, close: () => cache.close() }
  },
}

const inNamespace: ReadLoop = {
  name: 'getOrSet, in a namespace',
  copies: false,
  open(load) {
    const cache = openTiercel()
    const users = cache.namespace('users')
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await users.getOrSet(key, () => load(key))).id
      return sum
    }
    return { fill: readEach, read: (key) => users.get(key), readEach, close: () => cache.close() }
  },
}

const cloned: ReadLoop = {
  name: 'getOrSet, clone: true',
  copies: true,
  open(load) {
    const cache = openTiercel({ clone: true })
    const readEach = async (keys: readonly string[]): Promise<number> => {
      let sum = 0
      for (const key of keys) sum += (await cache.getOrSet(key, () => load(key))).id
      return sum
    }
    return { fill: readEach, read: (key) => cache.get(key), readEach, close: () => cache.close() }
  },
}

const get: ReadLoop = {
  name: 'get',
  copies: false,
  open(load) {
    const cache = openTiercel()
    return {
      fill: (keys) => fillTiercel(cache, keys, load),
      read: (key) => cache.get(key),
      async readEach(keys) {
        let sum = 0
        for (const key of keys) sum += ((await cache.get(key)) as Sample).id
        return sum
      },
      close: () => cache.close(),
    }
  },
}

const peek: ReadLoop = {
  name: 'peek',
  copies: false,
  open(load) {
    const cache = openTiercel()
    return {
      fill: (keys) => fillTiercel(cache, keys, load),
      read: (key) => cache.get(key),
      readEach(keys) {
        let sum = 0
        for (const key of keys) sum += (cache.peek(key) as Sample).id
        return sum
      },
      close: () => cache.close(),
    }
  },
}

const lruGet = lruGetOf('lru-cache get', { ttl: ttlMs })
const lruGetWithoutTtl = lruGetOf('lru-cache get, no TTL', {})

export const otherReads: readonly ReadLoop[] = [inNamespace, tagged, cloned, get, peek, lruGet, lruGetWithoutTtl]

function lruGetOf(name: string, options: { readonly ttl?: number }): ReadLoop {
  return {
    name,
    copies: false,
    open(load) {
      const cache = new LRUCache<string, Sample>({ max: roomForEntries, ...options })
      return {
        async fill(keys) {
          for (const key of keys) cache.set(key, await load(key))
        },
        read: (key) => cache.get(key),
        readEach(keys) {
          let sum = 0
          for (const key of keys) sum += (cache.get(key) as Sample).id
          return sum
        },
        async close() {
          cache.clear()
        },
      }
    },
  }
}

async function fillTiercel(cache: Cache, keys: readonly string[], load: Load): Promise<void> {
  for (const key of keys) await cache.getOrSet(key, () => load(key))
}
