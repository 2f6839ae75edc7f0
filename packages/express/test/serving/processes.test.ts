import { createCache, type CacheOptions } from '@tiercel/core'
import { cacheResponses, type ResponseCacheOptions } from '@tiercel/express'
import type { Request } from 'express'
import { expect, it, onTestFinished, vi } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../core/test/redis/server/index.js'
import { executedDuring } from '../../../core/test/redis/tier/monitor.js'
import { counting, type Counting } from '../safety/counting.js'
import { serve, type Site } from '../safety/site.js'
import { onBothVersions, type ExpressModule } from '../safety/versions.js'

// Who is held up for as long as a lease lasts counts as dead, and another one loads in its place.
vi.mock('../../../core/src/redis/lease-time.js', () => ({ LEASE_MS: 600_000 }))

async function openRedis(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

/** As a process of its own: its memory is empty, and what it knows it has from Redis. */
async function openProcess(express: ExpressModule, redis: RedisServer, handler: Counting, options: Partial<ResponseCacheOptions<Request>> = {}, cacheOptions: CacheOptions = {}): Promise<Site> {
  const app = express()
  app.set('env', 'test')
  const cache = createCache({ redis: redis.url, deadline: '30s', maxStaleness: '5m', ...cacheOptions })
  onTestFinished(() => cache.close())
  app.all(/.*/, cacheResponses({ cache, ttl: '1m', ...options }), handler)
  await vi.waitUntil(() => cache.getConnectionStatus() === 'connected', { timeout: 30_000 })
  return { ...(await serve(app)), cache }
}

const host = { host: 'a.example' }

/** How often Redis is asked for values, or has a script run, by anybody; but for what every process asks now and then, whether it has heard everything. */
async function questionsDuring(redis: RedisServer, run: () => Promise<unknown>): Promise<number> {
  const executed = await executedDuring(redis, run)
  const questions = executed.filter(({ from, command: [name = ''] }) => from !== 'lua' && /^(?:mget|get|pttl|exists|evalsha|eval)$/i.test(name))
  return questions.filter(({ command }) => !command.some((word) => word.endsWith(':bus:seq'))).length
}

/** How often, with what the heartbeats ask. */
async function leasesAskedFor(redis: RedisServer): Promise<number> {
  const stats = String(await redis.cli('INFO', 'commandstats'))
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])
}

describeWithRedis('several processes', () => {
  onBothVersions((express) => {
    it('run the handler once for all of their visitors', async () => {
      const redis = await openRedis()
      let release = (): void => {}
      const page = counting((_req, res, run) => (release = () => void res.send(`run ${run}`)))
      const sites = [await openProcess(express, redis, page), await openProcess(express, redis, page)]
      const answers = Promise.all([0, 1, 0, 1, 0, 1].map((i) => sites[i]?.get('/', host)))
      await expect.poll(() => [page.runs, sites.reduce((sum, { cache }) => sum + cache.stats().coalesced, 0)]).toEqual([1, 4])
      release()

      expect((await answers).map((answer) => answer?.body)).toEqual(Array.from({ length: 6 }, () => 'run 1'))
      expect(page.runs).toBe(1)
    })

    it('run the handler at once for all who have waited for a page that is not kept', async () => {
      const redis = await openRedis()
      const held: (() => void)[] = []
      const page = counting((_req, res, run) => held.push(() => void res.set('Cache-Control', 'no-store').send(`run ${run}`)))
      const sites = [await openProcess(express, redis, page), await openProcess(express, redis, page), await openProcess(express, redis, page)]
      const first = sites[0]?.get('/', host)
      await expect.poll(() => page.runs).toBe(1)
      const before = await leasesAskedFor(redis)
      const others = Promise.all(sites.slice(1).map((site) => site.get('/', host)))
      // Each of them, and again after a pause.
      await expect.poll(async () => (await leasesAskedFor(redis)) - before).toBeGreaterThan(20)
      held[0]?.()
      expect((await first)?.body).toBe('run 1')
      // Less than the ten seconds after which who waits loads for itself in any case.
      await expect.poll(() => page.runs, { timeout: 8000 }).toBe(3)
      for (const answer of held.slice(1)) answer()

      expect((await others).map(({ body }) => body).toSorted()).toEqual(['run 2', 'run 3'])
    })

    it.each([
      ['what was kept before, for one question to Redis', {}, {}, 1],
      ['what is in a room and has tags, for one', {}, { room: '1', tags: ['a'] }, 1],
      ['what names its groups itself, for two', { 'Cache-Groups': '"a"' }, {}, 2],
      ['a variant, for two', { Vary: 'X-A' }, {}, 2],
    ])('give after a restart %s', async (_name, headers, options, questions) => {
      const redis = await openRedis()
      const page = counting((_req, res, run) => res.set(headers).set('X-Run', String(run)).send(Buffer.from([0, 255, 128, run])))
      const first = await openProcess(express, redis, page, options)
      for (const variant of ['1', '2']) await first.get('/', { ...host, 'x-a': variant })
      const restarted = await openProcess(express, redis, page, options)
      const asked = await questionsDuring(redis, async () => {
        const answer = await restarted.get('/', { ...host, 'x-a': '2' })
        expect([answer.headers['x-run'], [...answer.bytes]]).toEqual([String(page.runs), [0, 255, 128, page.runs]])
        await restarted.get('/', { ...host, 'x-a': '2' })
      })

      expect(asked).toBe(questions)
    })

    it('give what is larger than they keep in memory', async () => {
      const redis = await openRedis()
      const page = counting((_req, res) => res.send('x'.repeat(300_000)))
      await (await openProcess(express, redis, page)).get('/', host)
      const small = await openProcess(express, redis, page, { maxBody: 1000 }, { memory: { maxBytes: 100_000 } })
      for (let visit = 0; visit < 3; visit++) expect((await small.get('/', host)).body).toHaveLength(300_000)

      expect(small.cache.stats().memory.bytes).toBeLessThanOrEqual(100_000)
      expect(page.runs).toBe(1)
    })

    it('forget what one of them has written', async () => {
      const redis = await openRedis()
      const page = counting((req, res, run) => (req.method === 'GET' ? res.vary('X-A').send(`run ${run}`) : res.sendStatus(204)))
      const [one, two] = [await openProcess(express, redis, page), await openProcess(express, redis, page)]
      const variants = [{ ...host, 'x-a': '1' }, { ...host, 'x-a': '2' }]
      const before = await Promise.all(variants.map(async (headers) => (await one.get('/', headers)).body))
      for (const [i, headers] of variants.entries()) expect((await two.get('/', headers)).body).toBe(before[i])
      await two.send('/', { method: 'PUT', headers: host })

      for (const [i, headers] of variants.entries()) await expect.poll(async () => (await one.get('/', headers)).body).not.toBe(before[i])
    })

    it('know how old a response is though their clocks differ', async () => {
      const redis = await openRedis()
      const page = counting((_req, res, run) => res.set('Cache-Control', 'max-age=7200').set('Age', '20').send(`run ${run}`))
      await (await openProcess(express, redis, page)).get('/', host)
      const other = await openProcess(express, redis, page)
      const now = Date.now()
      const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 3_600_000)
      onTestFinished(() => clock.mockRestore())

      const answer = await other.get('/', host)
      expect(answer.body).toBe('run 1')
      expect(Number(answer.headers.age)).toBeLessThan(3600)
    })
  })
})
