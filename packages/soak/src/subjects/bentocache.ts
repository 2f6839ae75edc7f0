import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import type { Row, Value } from '../rows.js'
import { labelOf, namesOf, WAIT_MS, type Place, type Subject } from './subject.js'

/** Its two tiers, with the bus between processes, as its manual sets them up. What it would not tell of Redis it is asked to tell where something is dropped. */
export async function openBentocache({ urls }: Place): Promise<Subject> {
  const { hostname: host, port } = new URL(urls[0] ?? '')
  // Without it calls wait for as long as Redis is stopped.
  const connection = { host, port: Number(port), commandTimeout: WAIT_MS }
  const store = bentostore()
    .useL1Layer(memoryDriver({ maxItems: 10_000 }))
    .useL2Layer(redisDriver({ connection }))
    .useBus(redisBusDriver({ connection }))
  const cache = new BentoCache({ default: 'tiered', prefix: 'soak', stores: { tiered: store } })
  const optionsOf = (row: Row) => ({ ttl: row.ttlMs, tags: [labelOf(row)], ...(row.hasGrace ? { grace: '1m' } : {}) })
  return {
    kinds: ['key', 'tag'],
    getOrSet: (row, load) => cache.getOrSet({ key: row.id, factory: () => load(row), ...optionsOf(row) }),
    get: (row) => cache.get<Value>({ key: row.id }),
    set: (row, value) => cache.set({ key: row.id, value, ...optionsOf(row) }),
    async invalidate(target) {
      const { keys, tags } = namesOf(target)
      if (keys.length > 0) await cache.deleteMany({ keys, suppressL2Errors: false })
      if (tags.length > 0) await cache.deleteByTag({ tags, suppressL2Errors: false })
      return { durable: true }
    },
    hasRecovered: () => true,
    counts: () => ({}),
    close: () => cache.disconnectAll(),
  }
}
