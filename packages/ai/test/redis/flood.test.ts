import { expect, it, vi } from 'vitest'
import { createAICacheService } from '@tiercel/ai'
import { executedDuring } from '../../../core/test/redis/tier/monitor.js'
import { describeWithRedis } from '../../../core/test/redis/server/index.js'
import { soon, until, useServices } from './services.js'

/** It is much to do for a machine that does much else. */
const AS_LONG_AS_IT_TAKES = 600_000
const many = process.env.TIERCEL_PROOF === '1' ? 1_000_000 : 100_000

it('a flood of 1,000,000 distinct keys leaves a service no larger than its families', async () => {
  const ai = createAICacheService({ redis: false, logger: {} })
  for (let i = 0; i < 1_000_000; i++) {
    if (i % 2 === 0) ai.setRecommendations(`u${i}`, 6, i)
    else ai.getRecommendations(`u${i}`, 6)
  }
  expect(ai.getStats().recommendation).toEqual({ hits: 0, misses: 500_000, size: 500, maxSize: 500 })
  await ai.close()
}, AS_LONG_AS_IT_TAKES)

describeWithRedis('a flood of distinct keys', () => {
  const services = useServices()
  const { open } = services

  it('of sets leaves memory and Redis no larger than the family, and what comes after it is shared', async () => {
    const [a, b] = [await open(), await open()]
    for (let i = 0; i < many; i++) a.setSearchResults(`k${i}`, i)
    expect(a.getStats().search.size).toBe(1000)
    await a.flush()
    a.setSearchResults('after', 'v')
    await until(() => b.getSearchResults('after'))
    await vi.waitFor(async () => expect(((await services.redis.cli('KEYS', 'ai:search:1:{*}:v')) as string[]).length).toBeLessThanOrEqual(1000), soon)
    expect(b.getStats().search.size).toBeLessThanOrEqual(1000)
    expect(b.getSearchResults(`k${many - 1}`)).toBe(many - 1)
  }, AS_LONG_AS_IT_TAKES)

  it('of misses asks Redis for no more of them at a time than the family holds', async () => {
    const a = await open()
    const executed = await executedDuring(services.redis, async () => {
      for (let i = 0; i < many; i++) a.getSearchResults(`k${i}`)
      await a.async.getChatResponse('done')
    })
    const asked = executed.filter(({ command }) => command[0]?.toUpperCase() === 'MGET').flatMap(({ command }) => command.filter((word) => word.endsWith(':v')))
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.length).toBeLessThanOrEqual(1001)
  }, AS_LONG_AS_IT_TAKES)
})
