import KeyvRedis from '@keyv/redis'
import { RedisMessageProvider } from '@qified/redis'
import { Cacheable, createKeyv } from 'cacheable'
import Keyv from 'keyv'
import type { Row, Value } from '../rows.js'
import { labelOf, namesOf, WAIT_MS, type Place, type Subject } from './subject.js'

/** Memory before Redis, with tags and with its messages between processes, as its manual sets them up. */
export async function openCacheable({ urls }: Place): Promise<Subject> {
  const [url = ''] = urls
  // Without a bound on it calls wait for as long as Redis is stopped.
  const client = { url, socket: { socketTimeout: WAIT_MS, reconnectStrategy: () => 100 } }
  const redis = new KeyvRedis<unknown>(client)
  redis.on('error', () => {})
  const provider = new RedisMessageProvider({ uri: url })
  const cache = new Cacheable({
    tags: true,
    primary: createKeyv({ lruSize: 10_000 }),
    secondary: new Keyv({ store: redis, namespace: 'soak', useKeyPrefix: false }),
    sync: { qified: provider },
  })
  cache.on('error', () => {})
  const optionsOf = (row: Row) => ({ ttl: row.ttlMs, tags: [labelOf(row)] })
  return {
    kinds: ['key', 'tag'],
    getOrSet: async (row, load) => (await cache.getOrSet<Value>(row.id, () => load(row), { ...optionsOf(row), cacheErrors: false })) as Value,
    get: (row) => cache.get<Value>(row.id),
    set: (row, value) => cache.set(row.id, value, optionsOf(row)),
    async invalidate(target) {
      const { keys, tags } = namesOf(target)
      if (keys.length > 0) await cache.deleteMany(keys)
      if (tags.length > 0) await cache.tags.invalidateTags(tags)
      return { durable: true }
    },
    hasRecovered: () => true,
    counts: () => ({}),
    close: () => cache.disconnect(),
  }
}
