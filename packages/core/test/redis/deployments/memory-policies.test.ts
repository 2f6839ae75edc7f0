import { expect, it } from 'vitest'
import { describeWithRedis } from '../server/index.js'
import { useTier } from '../tier/tier.js'

const policies = ['noeviction', 'allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl']
const ROUNDS = 15
const KEYS = 40

describeWithRedis('a Redis that is full, whatever it pushes out', () => {
  const tier = useTier()

  it.each(policies)('fails no call and brings nothing back: %s', async (policy) => {
    const [one, other] = [await tier.open({ deadline: '20s' }), await tier.open({ deadline: '20s' })]
    const { redis } = tier
    await redis.fillUp({ policy, maxBytes: Number(/used_memory:(\d+)/.exec(String(await redis.cli('INFO', 'memory')))?.[1]) + 200_000 })
    const versions = new Map<string, number>()
    const old: string[] = []
    let undone = 0
    try {
      for (let round = 1; round <= ROUNDS; round++) {
        await Promise.all(
          Array.from({ length: KEYS }, async (_, i) => {
            const key = `k${i}`
            const filler = 'x'.repeat(20_000)
            const { version } = await one.getOrSet(key, () => ({ version: versions.get(key) ?? 0, filler }), { tags: [`t${i % 4}`] })
            if (version < (versions.get(key) ?? 0)) old.push(`${key} of round ${round}`)
          }),
        )
        const tag = round % 4
        for (let i = tag; i < KEYS; i += 4) versions.set(`k${i}`, round)
        if (!(await one.invalidate({ tag: `t${tag}` })).durable) undone++
        const read = await other.getMany<{ version: number }>([...versions.keys()], { memory: false })
        for (const [key, { version }] of read) if (version < (versions.get(key) ?? 0)) old.push(`${key}, past memory, of round ${round}`)
      }
      const pushedOut = Number(/evicted_keys:(\d+)/.exec(String(await redis.cli('INFO', 'stats')))?.[1])
      const refused = tier.errors.length
      expect(pushedOut + refused).toBeGreaterThan(0)
      expect({ old, undone }).toEqual({ old: [], undone: 0 })
    } finally {
      await redis.drain()
      await redis.cli('CONFIG', 'RESETSTAT')
    }
  })
})
