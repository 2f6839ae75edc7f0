import { expect, it, vi } from 'vitest'
import type { AICacheService } from '@tiercel/ai'
import { executedDuring } from '../../../core/test/redis/tier/monitor.js'
import { describeWithRedis } from '../../../core/test/redis/server/index.js'
import { gone, soon, until, useServices } from './services.js'

interface Way {
  readonly name: string
  set(service: AICacheService): void
  get(service: AICacheService): unknown
  invalidate(service: AICacheService): void
  /** What is not meant. */
  keep(service: AICacheService): void
  kept(service: AICacheService): unknown
}

const ways: readonly Way[] = [
  {
    name: 'all searches',
    set: (service) => service.setSearchResults('search:goa:{}', 'v'),
    get: (service) => service.getSearchResults('search:goa:{}'),
    invalidate: (service) => service.invalidateSearchCache(),
    keep: (service) => service.setChatResponse('k', 'kept'),
    kept: (service) => service.getChatResponse('k'),
  },
  {
    name: 'searches by a pattern',
    set: (service) => service.setSearchResults('search:goa:{}', 'v'),
    get: (service) => service.getSearchResults('search:goa:{}'),
    invalidate: (service) => service.invalidateSearchCache('goa*'),
    keep: (service) => service.setSearchResults('search:kerala:{}', 'kept'),
    kept: (service) => service.getSearchResults('search:kerala:{}'),
  },
  {
    name: 'the recommendations of a user',
    set: (service) => service.setRecommendations('u', 7, 'v'),
    get: (service) => service.getRecommendations('u', 7),
    invalidate: (service) => service.invalidateUserCache('u'),
    keep: (service) => service.setRecommendations('w', 7, 'kept'),
    kept: (service) => service.getRecommendations('w', 7),
  },
  {
    name: 'the analytics of a user',
    set: (service) => service.setAnalytics('u', 'v'),
    get: (service) => service.getAnalytics('u'),
    invalidate: (service) => service.invalidateUserCache('u'),
    keep: (service) => service.setAnalytics('w', 'kept'),
    kept: (service) => service.getAnalytics('w'),
  },
]

const everything: Way = { ...ways[0], name: 'everything', invalidate: (service) => service.clearAll(), keep: () => {}, kept: () => 'kept' } as Way

for (const way of [...ways, everything]) {
  describeWithRedis(`an invalidation of ${way.name}`, () => {
    const services = useServices()
    const { open, proxy } = services

    it('holds in this process before the call returns, in others soon, and in Redis', async () => {
      const [a, b] = [await open(), await open()]
      way.set(a)
      way.keep(a)
      await until(() => way.get(b))
      await until(() => way.kept(b))
      way.invalidate(a)
      expect(way.get(a)).toBeNull()
      await until(() => way.get(b), gone)
      await a.flush()
      const c = await open()
      expect(way.get(c)).toBeNull()
      expect([way.kept(a), way.kept(b), way.kept(c)]).toEqual(['kept', 'kept', 'kept'])
    })

    it('leaves what is set after it, everywhere', async () => {
      const [a, b] = [await open(), await open()]
      for (let i = 0; i < 10; i++) {
        way.set(a)
        way.invalidate(a)
        way.set(a)
        expect(way.get(a)).toBe('v')
      }
      await a.flush()
      expect(way.get(a)).toBe('v')
      await until(() => way.get(b))
      expect(way.get(await open())).toBe('v')
    })

    it('discards a write from before that is on its way', async () => {
      const [a, b] = [await open(), await open()]
      for (let i = 0; i < 20; i++) {
        way.set(a)
        if (i % 2 === 0) await Promise.resolve()
        way.invalidate(a)
      }
      await a.flush()
      expect(way.get(a)).toBeNull()
      expect(way.get(await open())).toBeNull()
      await until(() => way.get(b), gone)
    })

    it('by another process discards a write from before that was held up', async () => {
      const held = await proxy()
      const [a, b] = [await open({ redis: held.url }), await open()]
      held.pause()
      way.set(a)
      const sent = held.counts.up.bytes
      await vi.waitUntil(() => held.counts.up.bytes > sent, soon)
      way.invalidate(b)
      await b.flush()
      const executed = await executedDuring(services.redis, async () => {
        await held.heal()
        await a.flush()
      })
      expect(executed.filter(({ command }) => command[0]?.toUpperCase() === 'SET' && command[1]?.endsWith(':v'))).toEqual([])
      const c = await open()
      await until(() => way.get(a), gone)
      await until(() => way.get(b), gone)
      expect(way.get(c)).toBeNull()
      expect(way.get(b)).toBeNull()
    })

    it('asks Redis for no keys', async () => {
      const a = await open()
      const executed = await executedDuring(services.redis, async () => {
        way.set(a)
        way.invalidate(a)
        await a.flush()
      })
      expect(executed.map(({ command }) => command[0]?.toUpperCase()).filter((name) => name === 'SCAN' || name === 'KEYS')).toEqual([])
    })
  })
}

describeWithRedis('many invalidations at once', () => {
  const services = useServices()

  it('by two processes leave both with the same, and with nothing from before', async () => {
    const [a, b] = [await services.open(), await services.open()]
    for (let round = 0; round < 50; round++) {
      for (const [i, service] of [a, b].entries()) {
        service.setSearchResults(`search:k${i}:{}`, round)
        service.setRecommendations(`u${i}`, round % 20, round)
        if (round % 3 === i) service.invalidateSearchCache('k*')
        if (round % 5 === i) service.invalidateUserCache('u0')
        if (round % 7 === i) service.clearAll()
      }
    }
    a.clearAll()
    await a.flush()
    await b.flush()
    await vi.waitUntil(() => [a, b].every((service) => service.getStats().search.size + service.getStats().recommendation.size === 0) || services.warnings.length > 0, soon).catch(() => {})
    // What b wrote after a’s last word may stay; then both have it.
    await a.warmCache()
    await b.warmCache()
    const kept = (service: AICacheService) => [0, 1].map((i) => service.getSearchResults(`search:k${i}:{}`))
    await vi.waitFor(() => expect(kept(a)).toEqual(kept(b)), soon)
  })
})
