import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, it } from 'vitest'
import { operatorRouter } from '../../../express/src/index.js'
import { createDenylist, createLocks, createRateLimiter, PresenceService, StorageManager } from '../../src/index.js'
import { describeEverywhere } from '../ground/ground.js'

describeEverywhere('locks, limits, denylist and presence', (ground) => {
  it('are sources of the operator router as they are, and sessions by two names (B7)', async () => {
    const backend = await ground.process()
    const locks = createLocks({ backend, scope: ground.hasRedis ? 'shared' : 'process' })
    const limiter = createRateLimiter({ backend, limit: 1, window: '1h' })
    const denylist = createDenylist({ backend })
    const presence = new PresenceService({ backend })
    const manager = new StorageManager({ backend })
    await manager.initialize()
    await locks.acquire('report')
    await limiter.consume('ada')
    await limiter.consume('ada')
    await denylist.revoke('token', { expiresAt: new Date(Date.now() + 60_000) })
    await presence.setOnline('ada', 'socket-1', 'lobby')
    await manager.getStorage().createSession('jam', {})

    const sessions = { stats: () => manager.getStatus(), health: () => manager.healthCheck() }
    const server = createServer(express().use('/operator', operatorRouter({ authorize: () => true, sources: { locks, limiter, denylist, presence, sessions } }))).listen(0, '127.0.0.1')
    try {
      await new Promise((resolve) => server.once('listening', resolve))
      const get = async (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/operator/${path}`)
      const redis = ground.hasRedis ? 'connected' : 'memory-fallback'
      expect(await (await get('stats')).json()).toMatchObject({
        sources: {
          locks: { healthy: true, failed: [], stats: { held: 1, acquired: 1, lost: 0 }, health: { scope: ground.hasRedis ? 'shared' : 'process' } },
          limiter: { healthy: true, stats: { allowed: 1, refused: 1 }, health: { redis, outage: 'local' } },
          denylist: { healthy: true, stats: { revoked: 1 }, health: { redis } },
          presence: { healthy: true, stats: { sockets: 1, rooms: 1, untold: 0 }, health: { redis } },
          sessions: { healthy: true, stats: { totalSessions: 1 } },
        },
      })
      expect((await get('health')).status).toBe(200)
      const metrics = await (await get('metrics')).text()
      for (const line of ['tiercel_held{source="locks"} 1', 'tiercel_refused{source="limiter"} 1', 'tiercel_revoked{source="denylist"} 1', 'tiercel_sockets{source="presence"} 1']) expect(metrics).toContain(line)
      await locks.close()
      await denylist.close()
      expect(await (await get('health')).json()).toMatchObject({ healthy: false, sources: { locks: false, denylist: false, limiter: true } })
    } finally {
      server.close()
      await manager.close()
    }
  })
})
