import { expect, test } from 'vitest'
import type { Mechanisms } from '../../src/coherence/index.js'
import type { Cache } from '../../src/index.js'
import { cacheWithout } from './opened-cache.js'
import { down, slowLoad } from './slow-load.js'

interface Schedule {
  readonly mechanism: keyof Mechanisms
  readonly of: string
  readonly right: unknown
  readonly wrong: unknown
  run(cache: Cache): Promise<unknown>
}

/** For each mechanism the shortest schedule that needs it. */
const schedules: readonly Schedule[] = [
  {
    mechanism: 'fence',
    of: 'a load that a delete came into is kept',
    right: undefined,
    wrong: 'old',
    async run(cache) {
      const load = slowLoad(cache, 'k')
      await load.begun
      await cache.delete('k')
      await load.finish('old')
      return cache.peek('k')
    },
  },
  {
    mechanism: 'detach',
    of: 'a call after a delete joins the load from before',
    right: 'new',
    wrong: 'old',
    async run(cache) {
      const load = slowLoad(cache, 'k')
      await load.begun
      await cache.delete('k')
      const after = cache.getOrSet('k', () => 'new')
      await load.finish('old')
      return after
    },
  },
  {
    mechanism: 'lateFence',
    of: 'a load is kept whose tag was invalidated before it was named',
    right: undefined,
    wrong: 'old',
    async run(cache) {
      const load = slowLoad(cache, 'k')
      const ctx = await load.begun
      await cache.invalidate({ tag: 't' })
      ctx.tags('t')
      await load.finish('old')
      return cache.peek('k')
    },
  },
  {
    mechanism: 'lateDetach',
    of: 'a call after an invalidation is served by a load whose tag was named only then',
    right: 'new',
    wrong: 'old',
    async run(cache) {
      const load = slowLoad(cache, 'k')
      const ctx = await load.begun
      await cache.invalidate({ tag: 't' })
      const after = cache.getOrSet('k', () => 'new')
      ctx.tags('t')
      await load.finish('old')
      return after
    },
  },
  {
    mechanism: 'supersede',
    of: 'the load that began first and ended last is kept',
    right: 'new',
    wrong: 'old',
    async run(cache) {
      const first = slowLoad(cache, 'k', { bypass: 'read' })
      await first.begun
      const last = slowLoad(cache, 'k', { bypass: 'read' })
      await last.begun
      await last.finish('new')
      await first.finish('old')
      return cache.peek('k')
    },
  },
  {
    mechanism: 'kill',
    of: 'a value deleted while a call waits serves it as grace',
    right: down,
    wrong: 'old',
    async run(cache) {
      await cache.set('k', 'old')
      await cache.expire({ key: 'k' })
      const load = slowLoad(cache, 'k')
      await load.begun
      await cache.delete('k')
      return load.fail(down).catch((error: unknown) => error)
    },
  },
]

test.for(schedules)('without the mechanism $mechanism $of, and with it not', async ({ mechanism, right, wrong, run }) => {
  const options = { grace: '1h' } as const
  expect(await run(cacheWithout([mechanism], options))).toBe(wrong)
  expect(await run(cacheWithout([], options))).toBe(right)
})
