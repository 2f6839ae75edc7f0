import { expect } from 'vitest'
import { ms } from '../arena.js'
import type { Row } from '../row.js'

/** What is different where there are several servers. */
export const clusterRows: readonly Row[] = [
  {
    fault: 'keys with braces, in a cluster',
    injected: '{}a}, }{, {a}{b} and others',
    promised: 'no CROSSSLOT',
    isSlow: true,
    async check(arena) {
      const cache = await arena.openInCluster(await arena.cluster({}))
      for (const key of ['{}a}', '}{', '{a}{b}', '{', '}', '{{a}}', 'x{y']) {
        expect(await cache.getOrSet(key, () => key, { tags: [key] })).toBe(key)
        expect(await cache.get(key, { memory: false })).toBe(key)
        await cache.invalidate({ tag: key })
        expect(await cache.get(key, { memory: false })).toBeUndefined()
      }
      return 'none'
    },
  },
  {
    fault: 'a master of a cluster is gone',
    injected: 'SIGKILL, its replica takes over',
    promised: 'no call fails, and nothing invalidated comes back',
    isSlow: true,
    async check(arena) {
      const cluster = await arena.cluster({ replicas: 1 })
      const [one, other] = [await arena.openInCluster(cluster), await arena.openInCluster(cluster)]
      await one.set('k', 'old')
      await other.get('k')
      expect(await one.invalidate({ key: 'k' })).toHaveProperty('durable', true)
      const master = await cluster.masterOf('tiercel:1:{k}:v')
      await master.kill()
      const slowest = await arena.slowest(one)
      await cluster.failOver(master)
      const back = await arena.connected(one, other)
      expect(await other.get('k', { memory: false })).toBeUndefined()
      return `slowest call ${ms(slowest)}, back ${ms(back)} after the failover`
    },
  },
]
