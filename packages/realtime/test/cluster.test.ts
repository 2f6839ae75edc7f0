import { createRequire } from 'node:module'
import { startCluster, type RedisCluster } from '@tiercel/core/testing'
import type { RedisTarget } from '@tiercel/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { describeWithRedis } from '../../core/test/redis/server/index.js'
import { Backend } from '../src/backend/backend.js'
import { createDenylist } from '../src/denylist/index.js'
import { createRateLimiter } from '../src/limits/index.js'
import { createLocks } from '../src/locks/index.js'
import { PresenceService } from '../src/presence/index.js'
import { createQueue } from '../src/queues/index.js'
import { createRedisService } from '../src/redis-service/index.js'
import { createChatSessionStore, createSessionCache, StorageManager } from '../src/sessions/index.js'
import { createStorage } from '../src/storage/index.js'
import { soon } from './ground/ground.js'

const require = createRequire(import.meta.url)

function template(client: 'redis' | 'ioredis', urls: readonly string[]): RedisTarget {
  if (client === 'redis') {
    const { createCluster } = require(client) as { createCluster(options: object): RedisTarget }
    return createCluster({ rootNodes: urls.map((url) => ({ url })) })
  }
  const { Cluster } = require(client) as { Cluster: new (nodes: readonly string[], options: object) => RedisTarget }
  return new Cluster(urls, { lazyConnect: true })
}

describeWithRedis('in a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    // No node is to be taken for dead because the machine is busy.
    cluster = await startCluster({ args: ['--cluster-node-timeout', '30000'] })
  })
  afterAll(() => cluster.stop())

  describe.each(['redis', 'ioredis'] as const)('through %s', (client) => {
    let one: Backend
    let other: Backend
    const ids = Array.from({ length: 20 }, (_, n) => `id-${n}`)
    beforeAll(async () => {
      const open = async () => {
        const backend = new Backend({ redis: template(client, cluster.urls), prefix: `${client}:`, deadline: '30s' })
        await vi.waitUntil(() => backend.link?.state === 'up', soon)
        return backend
      }
      one = await open()
      other = await open()
    })
    afterAll(() => Promise.all([one.close(), other.close()]))

    it('storage, queues and events work on keys of all slots', async () => {
      const [a, b] = [createStorage({ backend: one }), createStorage({ backend: other })]
      const heard: string[] = []
      await b.onEvent(({ sessionId }) => heard.push(sessionId))
      for (const id of ids) {
        await a.setSession(id, { id })
        await b.updateSession(id, { more: 1 })
        await a.addEvent(id, 1)
        await a.addChain(id, { id: `chain-${id}` })
        await a.addCommand(id, 1, { idempotencyKey: 'k' })
        expect([await b.getSession(id), await b.getEvents(id), await b.getChains(id), await b.takeCommands(id)]).toEqual([{ id, more: 1 }, [1], [{ id: `chain-${id}` }], [1]])
      }
      await vi.waitUntil(() => heard.length === ids.length, soon)
      expect(await b.getSessions()).toHaveLength(ids.length)
      for (const id of ids) expect(await a.deleteSession(id)).toBe(true)
      const [queue, same] = [createQueue('jobs', { backend: one }), createQueue('jobs', { backend: other })]
      await queue.add('x', { idempotencyKey: 'k' })
      const [item] = await same.claim()
      expect(await queue.acknowledge(item?.id ?? '')).toBe(1)
    })

    it('sessions and presence do', async () => {
      const [a, b] = [createChatSessionStore({ backend: one }), createChatSessionStore({ backend: other })]
      const [sockets, presence, watching] = [createSessionCache({ backend: one }), new PresenceService({ backend: one }), new PresenceService({ backend: other })]
      const manager = new StorageManager({ backend: one })
      await manager.initialize()
      expect(manager.getStatus().storageType).toBe('redis')
      for (const id of ids) {
        await a.createSession(id, {})
        expect(await b.addMessageToSession(id, 'x')).toBe(true)
        expect(await a.getSessionMessages(id)).toEqual(['x'])
        await sockets.setSession(id, { userId: 'ada' }, 60)
        await presence.setOnline(`user-${id}`, `socket-${id}`, id)
        expect(await watching.getOnlineUsers(id)).toEqual([`user-${id}`])
        await manager.getStorage().createSession(id, {})
        await manager.getStorage().addMember(id, 'ada', 1)
      }
      await presence.heartbeat()
      expect([(await a.getStats()).activeSessions, await sockets.deleteUserSessions('ada'), (await watching.getOnlineUsers()).length, await manager.getStorage().countSessions()]).toEqual([20, 20, 20, 20])
      for (const id of ids) await a.deleteSession(id)
      await presence.close()
      expect(await watching.getOnlineUsers()).toEqual([])
      await watching.close()
      await manager.close()
    })

    it('locks, rate limits and the denylist do', async () => {
      const [a, b] = [createLocks({ backend: one }), createLocks({ backend: other })]
      const limiters = [one, other].map((backend) => createRateLimiter({ backend, limit: 1, window: '1h', outage: 'closed' }))
      const [denylist, same] = [createDenylist({ backend: one }), createDenylist({ backend: other })]
      for (const id of ids) {
        const lock = await a.acquire(id)
        await expect(b.acquire(id, { wait: 0 })).rejects.toMatchObject({ code: 'TIERCEL_LOCK_TIMEOUT' })
        expect(await lock.release()).toBe(true)
        expect((await b.acquire(id)).fence).toBeGreaterThan(lock.fence)
        const decisions = await Promise.all(limiters.map((limiter) => limiter.consume(id)))
        expect(decisions.map(({ allowed }) => allowed).toSorted()).toEqual([false, true])
        expect(await denylist.revoke(id, { expiresAt: new Date(Date.now() + 60_000) })).toEqual({ durable: true })
        expect(await same.check(id)).toBe('revoked')
      }
      await b.close()
    })

    it('the Redis service and channels do', async () => {
      const service = createRedisService({ backend: one })
      for (const id of ids) await service.set(`many:${id}`, id)
      expect(await service.deletePattern('many:*')).toBe(ids.length)
      const heard: unknown[] = []
      await other.pubSub.subscribePattern('room:*', (data) => heard.push(data))
      await Promise.all(Array.from({ length: 100 }, (_, n) => one.pubSub.publish('room:1', n)))
      await vi.waitUntil(() => heard.length === 100, soon)
      expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => n))
    })
  })
})
