import { startProxy } from '@tiercel/core/testing'
import { expect, it, vi } from 'vitest'
import { startRedis } from '../../../core/test/redis/server/index.js'
import { createRateLimiter, type RateLimiterOptions } from '../../src/limits/index.js'
import { describeEverywhere, describeOnRedis, type Ground, soon } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

const open = async (ground: Ground, options: Partial<RateLimiterOptions> = {}) => createRateLimiter({ backend: await ground.process(), limit: 3, window: '1h', ...options })

describeEverywhere('a rate limiter', (ground) => {
  it('lets a key use as much as the limit, over all processes, and says what is left (B5, D8)', async () => {
    const [one, other] = [await open(ground), await open(ground)]
    expect(await one.consume('ada')).toMatchObject({ allowed: true, by: 'shared', limit: 3, remaining: 2 })
    expect(await other.consume('ada', 2)).toMatchObject({ allowed: true, remaining: 0 })
    const refused = await one.consume('ada')
    expect(refused).toMatchObject({ allowed: false, by: 'shared', remaining: 0 })
    expect(refused.resetMs).toBeGreaterThan(3_000_000)
    expect(refused.resetMs).toBeLessThanOrEqual(3_600_000)
    expect([await one.consume('bob'), await (await open(ground, { name: 'another' })).consume('ada')]).toMatchObject([{ allowed: true }, { allowed: true }])
    expect(one.stats()).toEqual({ allowed: 2, refused: 1, local: 0, outage: 0 })
    expect(one.health()).toMatchObject({ healthy: true, outage: 'local' })
  })

  it('begins anew when the window is over', async () => {
    const limiter = await open(ground, { limit: 1, window: '1s' })
    await limiter.consume('ada')
    await vi.waitFor(async () => expect(await limiter.consume('ada')).toMatchObject({ allowed: true, remaining: 0 }), soon)
  })

  it('begins anew when it is told to', async () => {
    const limiter = await open(ground, { limit: 1 })
    await limiter.consume('ada')
    await limiter.reset('ada')
    expect(await limiter.consume('ada')).toMatchObject({ allowed: true })
  })

  it('takes keys of any length and any characters', async () => {
    const limiter = await open(ground, { limit: 1 })
    const keys = ['{a}', 'a b', 'a\nb', 'x'.repeat(10_000), `${'x'.repeat(9_999)}y`]
    expect(await Promise.all(keys.map(async (key) => (await limiter.consume(key)).allowed))).toEqual(keys.map(() => true))
    expect(await Promise.all(keys.map(async (key) => (await limiter.consume(key)).allowed))).toEqual(keys.map(() => false))
  })

  it('refuses what cannot be', async () => {
    const limiter = await open(ground)
    await expect(limiter.consume('')).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    await expect(limiter.consume('a', 0)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
    for (const options of [{ name: 'no spaces' }, { limit: 0 }, { window: '1500ms' }, { window: 0 }, { outage: 'maybe' as never }, { localLimit: 0 }] as const) {
      await expect(open(ground, options)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
    }
    await limiter.close()
    await expect(limiter.consume('a')).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
  })
})

describeOnRedis('a rate limiter', (ground) => {
  const start = useOwnProcesses()

  it('lets exactly the limit through under 64 callers in 4 processes (B5, D8)', async () => {
    const [limit, callers, each] = [1000, 16, 40]
    const asks = `
      const limiter = realtime.createRateLimiter({ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s', limit: ${limit}, window: '1h', outage: 'closed' })
      const caller = async () => {
        let allowed = 0
        for (let n = 0; n < ${each}; n++) if ((await limiter.consume('all')).allowed) allowed++
        return allowed
      }
      await limiter.consume('warm-up')
      say('ready')
      await told()
      const counts = await Promise.all(Array.from({ length: ${callers} }, caller))
      say(String(counts.reduce((sum, count) => sum + count, 0)))
      await limiter.close()`
    const processes = Array.from({ length: 4 }, () => start(asks, { URL: ground.redis.url, PREFIX: ground.prefix }))
    for (const own of processes) expect(await own.line()).toBe('ready')
    for (const own of processes) own.tell('go')
    const allowed = await Promise.all(processes.map(async (own) => Number(await own.line())))
    const sum = allowed.reduce((total, count) => total + count, 0)
    process.stdout.write(`limiter: ${sum} of ${4 * callers * each} calls let through with a limit of ${limit}, by ${4 * callers} callers in 4 processes (${allowed.join(' + ')})\n`)
    expect(sum).toBe(limit)
  })

  it('answers as it was told to while Redis is away, after the deadline at the latest (B5, D8)', async () => {
    const redis = await startRedis()
    const proxy = await startProxy(redis)
    try {
      const backend = await ground.process({ redis: ground.target(proxy.url), deadline: '5s', connectTimeout: '1s' })
      await vi.waitUntil(() => backend.link?.state === 'up', soon)
      const limiter = (outage: RateLimiterOptions['outage']) => createRateLimiter({ backend, name: outage ?? '', limit: 3, window: '1h', localLimit: 1, outage: outage ?? 'local' })
      const [open_, closed, local] = [limiter('open'), limiter('closed'), limiter('local')]
      expect(await Promise.all([open_, closed, local].map((each) => each.consume('ada')))).toMatchObject([{ by: 'shared' }, { by: 'shared' }, { by: 'shared' }])
      // Nothing is refused and nothing ends: whoever waits for an answer waits for ever.
      proxy.blackhole()
      expect(await Promise.all([open_, closed, local].map((each) => each.consume('ada')))).toMatchObject([
        { allowed: true, by: 'outage', remaining: undefined },
        { allowed: false, by: 'outage', resetMs: undefined },
        { allowed: true, by: 'local', limit: 1, remaining: 0 },
      ])
      expect(await local.consume('ada')).toMatchObject({ allowed: false, by: 'local' })
      expect([open_.stats(), closed.stats(), local.stats()]).toEqual([
        { allowed: 2, refused: 0, local: 0, outage: 1 },
        { allowed: 1, refused: 1, local: 0, outage: 1 },
        { allowed: 2, refused: 1, local: 2, outage: 0 },
      ])
      await vi.waitUntil(async () => {
        await local.consume('ada')
        return !local.health().healthy
      }, soon)
      proxy.heal()
      await vi.waitUntil(() => local.health().healthy, soon)
      expect(await local.consume('bob')).toMatchObject({ allowed: true, by: 'shared' })
    } finally {
      await proxy.stop()
      await redis.stop()
    }
  })
})
