import { createCache } from '@tiercel/core'
import { operatorRouter } from '@tiercel/express'
import { expect, it, onTestFinished, vi } from 'vitest'
import { describeWithRedis, startRedis } from '../../../core/test/redis/server/index.js'
import { serve } from '../safety/site.js'

describeWithRedis('operatorRouter with Redis', () => {
  it('raises an alarm while Redis is away, and lets the process have its requests', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const pages = createCache({ redis: redis.url, name: 'pages' })
    onTestFinished(() => pages.close())
    const router = operatorRouter({ authorize: () => true, sources: { pages } })
    const { get } = await serve((req, res) => router(req, res, () => res.writeHead(404).end()))
    await vi.waitUntil(async () => (await get('/health')).status === 200, { timeout: 30_000 })

    await redis.kill()
    await vi.waitUntil(async () => (await get('/health')).status === 503, { timeout: 30_000 })
    await pages.invalidate({ tag: 'told later' })
    expect((await get('/ready')).status).toBe(200)
    expect(JSON.parse((await get('/stats')).body)).toMatchObject({ sources: { pages: { healthy: false, health: { redis: { status: 'memory-fallback', breaker: 'open', journal: 1 } } } } })
    const { body } = await get('/metrics')
    expect(body).toContain('tiercel_healthy{source="pages"} 0')
    expect(body).toContain('tiercel_redis_journal{source="pages"} 1')

    await redis.restart()
    await vi.waitUntil(async () => (await get('/health')).status === 200, { timeout: 30_000 })
  })
})
