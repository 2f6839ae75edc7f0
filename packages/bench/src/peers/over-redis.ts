import KeyvRedis from '@keyv/redis'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { Cacheable } from 'cacheable'
import { Redis } from 'ioredis'
import Keyv from 'keyv'
import type { Sample } from '../values.js'
import { roomForEntries, ttlMs, type Load } from './peer.js'

/** A cache that keeps its values in Redis, and reads them there at every call. */
export interface RedisReader {
  set(key: string, value: Sample): Promise<unknown>
  get(key: string): Promise<Sample | undefined>
  getOrSet(key: string, load: Load): Promise<Sample>
  close(): Promise<unknown>
}

export function bentocacheInRedis(url: string, name: string): RedisReader {
  const cache = new BentoCache({ default: 'redis', ttl: ttlMs, prefix: name, stores: { redis: bentostore().useL2Layer(redisDriver({ connection: connectionOf(url) })) } })
  return {
    set: (key, value) => cache.set({ key, value }),
    get: (key) => cache.get<Sample>({ key }),
    getOrSet: (key, load) => cache.getOrSet({ key, factory: () => load(key) }),
    close: () => cache.disconnectAll(),
  }
}

export function cacheableInRedis(url: string, name: string): RedisReader {
  const cache = new Cacheable({ ttl: ttlMs, primary: new Keyv({ store: new KeyvRedis(url, { namespace: name }), namespace: name, useKeyPrefix: false }) })
  return {
    set: (key, value) => cache.set(key, value),
    get: (key) => cache.get<Sample>(key),
    getOrSet: async (key, load) => (await cache.getOrSet(key, () => load(key))) as Sample,
    close: () => cache.disconnect(),
  }
}

/** Its two tiers, with the bus between processes. */
export function bentocacheBeforeRedis(url: string, name: string): Pick<RedisReader, 'getOrSet' | 'close'> {
  const store = bentostore()
    .useL1Layer(memoryDriver({ maxItems: roomForEntries }))
    .useL2Layer(redisDriver({ connection: connectionOf(url) }))
    .useBus(redisBusDriver({ connection: { ...connectionOf(url).options } }))
  const cache = new BentoCache({ default: 'tiered', ttl: ttlMs, prefix: name, stores: { tiered: store } })
  return {
    getOrSet: (key, load) => cache.getOrSet({ key, factory: () => load(key) }),
    close: () => cache.disconnectAll(),
  }
}

function connectionOf(url: string): Redis {
  const client = new Redis(url, { lazyConnect: true })
  client.on('error', () => {})
  return client
}
