import { expect, it, vi } from 'vitest'
import { describeWithRedis, startRedis, useRedis } from './index.js'

describeWithRedis('the Redis that tests share', () => {
  it('is the one that REDIS_URL names, where a test does it no harm', async () => {
    const server = await startRedis()
    vi.stubEnv('REDIS_URL', server.url)
    const shared = await useRedis()
    expect(shared.url).toBe(server.url)
    await shared.stop()
    expect(await server.cli('PING')).toBe('PONG')
    vi.stubEnv('REDIS_URL', '')
    const own = await useRedis()
    expect(own.url).not.toBe(server.url)
    await own.stop()
    await server.stop()
    vi.unstubAllEnvs()
  })
})
