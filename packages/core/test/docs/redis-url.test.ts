import { expect, it } from 'vitest'
import { cacheOptionsFromEnv, createCache } from '@tiercel/core'
import { describeWithRedis } from '../redis/server/index.js'
import { withRedisUrl } from './redis-url.js'

describeWithRedis('a page that takes a Redis', () => {
  it('has one under REDIS_URL, and it is gone afterwards, also when the page fails', async () => {
    const before = process.env.REDIS_URL
    const run = withRedisUrl(async () => {
      const cache = createCache(cacheOptionsFromEnv(process.env))
      await cache.ready()
      const status = cache.getConnectionStatus()
      await cache.close()
      throw new Error(status)
    })

    await expect(run).rejects.toThrow('connected')
    expect(process.env.REDIS_URL).toBe(before)
  })
})
