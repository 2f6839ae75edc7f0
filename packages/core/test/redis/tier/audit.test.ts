import { expect, it } from 'vitest'
import { describeWithRedis } from '../server/index.js'
import { useTier } from './tier.js'

const KEYS = 400

describeWithRedis('the audit', () => {
  const tier = useTier()

  it('finds no disagreement in two caches that tell each other of every change', async () => {
    const options = { audit: { sample: 1, after: 100 }, deadline: '20s', maxStaleness: '1m' } as const
    const caches = [await tier.open(options), await tier.open(options)] as const
    const rows = Array.from({ length: KEYS }, () => 0)
    const any = (below: number) => Math.floor(Math.random() * below)
    const isDone = () => caches.every((cache) => (cache.stats().redis?.audited ?? 0) >= 100)
    const until = performance.now() + 60_000
    let changes = 0
    while (!isDone() && performance.now() < until) {
      const [cache, row] = [caches[any(2) as 0 | 1], any(KEYS)]
      rows[row] = ++changes
      if (changes % 3 === 0) await cache.set(`row ${row}`, changes, { tags: [`${row % 10}`] })
      else await cache.invalidate(changes % 20 === 0 ? { tag: `${row % 10}` } : { key: `row ${row}` })
      if (changes % 20 === 0) await cache.invalidate({ key: `row ${row}` })
      await Promise.all(
        caches.flatMap((each) => Array.from({ length: 20 }, () => any(KEYS)).map((i) => each.getOrSet(`row ${i}`, async () => rows[i], { tags: [`${i % 10}`] }))),
      )
    }
    expect(isDone(), `after ${changes} changes`).toBe(true)
    expect(caches.map((cache) => cache.stats().redis?.disagreements)).toEqual([0, 0])
  })
})
