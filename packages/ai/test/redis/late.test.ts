import { expect, it, vi } from 'vitest'
import type { AICacheService } from '@tiercel/ai'
import { describeWithRedis, type FaultProxy } from '../../../core/test/redis/server/index.js'
import { gone, soon, until, useServices } from './services.js'

describeWithRedis('a message that arrives late', () => {
  const services = useServices()
  const { open, proxy } = services

  /** Which connection of `a` is subscribed: it is sent what nobody asked for, every time. Another one may be given a late answer meanwhile. */
  async function subscribed(way: FaultProxy, a: AICacheService, b: AICacheService): Promise<FaultProxy['connections'][number]> {
    let found = way.connections
    for (let time = 0; time === 0 || found.length > 1; time++) {
      const before = found.map(({ counts: { up, down } }) => ({ up: up.bytes, down: down.bytes }))
      b.setChatResponse('who hears this', time)
      await until(() => a.getChatResponse('who hears this'), (value) => value === time)
      found = found.filter(({ counts: { up, down } }, i) => up.bytes === before[i]?.up && down.bytes > before[i].down)
    }
    expect(found).toHaveLength(1)
    return found[0] as FaultProxy['connections'][number]
  }

  /** What another process says does not reach `a` any more, until the way is healed; what `a` asks is answered. */
  async function deaf(): Promise<{ a: AICacheService; b: AICacheService; way: FaultProxy }> {
    const way = await proxy()
    const [a, b] = [await open({ redis: way.url, maxStaleness: '5m' }), await open()]
    a.setSearchResults('earlier', 'v')
    a.setRecommendations('earlier', 1, 'v')
    await a.flush()
    ;(await subscribed(way, a, b)).pause('down')
    return { a, b, way }
  }

  it('makes what was read before it be read again', async () => {
    const way = await proxy()
    const [a, b] = [await open({ redis: way.url, maxStaleness: '5m', searchCacheSize: 1 }), await open()]
    b.setSearchResults('k', 'older')
    await b.flush()
    b.setSearchResults('another', 'v')
    await until(() => a.getSearchResults('another'))
    const hearing = await subscribed(way, a, b)
    const asking = way.connections.filter((connection) => connection !== hearing)
    for (const connection of asking) connection.pause('down')
    const sent = way.counts.up.bytes
    expect(a.getSearchResults('k')).toBeNull()
    await vi.waitUntil(() => way.counts.up.bytes > sent, soon)
    // Redis has answered with the older one by the time it takes the newer one.
    await services.redis.cli('PING')
    const heard = hearing.counts.down.bytes
    b.setSearchResults('k', 'newer')
    await vi.waitUntil(() => hearing.counts.down.bytes > heard, soon)
    await way.heal()
    expect(await until(() => a.getSearchResults('k'))).toBe('newer')
  })

  it.each<readonly [string, (a: AICacheService) => unknown]>([
    ['of all', (a) => a.invalidateSearchCache()],
    ['by a pattern', (a) => a.invalidateSearchCache('k*')],
    ['of everything', (a) => a.clearAll()],
  ])('does not bring back what was invalidated here after it was set there: %s', async (_, invalidate) => {
    const { a, b, way } = await deaf()
    b.setSearchResults('k', 'old')
    await b.flush()
    invalidate(a)
    await until(() => b.getSearchResults('k'), gone)
    await way.heal()
    await a.flush()
    // It has heard everything by now.
    b.setChatResponse('last', 'v')
    await until(() => a.getChatResponse('last'))
    expect(a.getSearchResults('k')).toBeNull()
    expect(await a.async.getSearchResults('k')).toBeNull()
  })

  it('does not bring back what was invalidated here by user', async () => {
    const { a, b, way } = await deaf()
    b.setRecommendations('u', 6, 'old')
    await b.flush()
    a.invalidateUserCache('u')
    await until(() => b.getRecommendations('u', 6), gone)
    await way.heal()
    await a.flush()
    b.setChatResponse('last', 'v')
    await until(() => a.getChatResponse('last'))
    expect(a.getRecommendations('u', 6)).toBeNull()
  })

  it('does not take the place of what was set here after it', async () => {
    const { a, b, way } = await deaf()
    b.setSearchResults('k', 'older')
    await b.flush()
    a.setSearchResults('k', 'newer')
    await until(() => b.getSearchResults('k'), (value) => value === 'newer')
    await way.heal()
    await a.flush()
    b.setChatResponse('last', 'v')
    await until(() => a.getChatResponse('last'))
    expect(a.getSearchResults('k')).toBe('newer')
    expect(b.getSearchResults('k')).toBe('newer')
    expect(await (await open()).async.getSearchResults('k')).toBe('newer')
  })

  it.each<readonly [string, (a: AICacheService) => void]>([
    ['has expired already', (a) => a.setSearchResults('k', 'v', -1)],
    ['cannot be sent', (a) => a.setSearchResults('k', { call: () => 42 })],
  ])('does not bring back what was replaced here by a value that %s', async (_, replace) => {
    const { a, b, way } = await deaf()
    b.setSearchResults('k', 'older')
    await b.flush()
    replace(a)
    await until(() => b.getSearchResults('k'), gone)
    await way.heal()
    await a.flush()
    b.setChatResponse('last', 'v')
    await until(() => a.getChatResponse('last'))
    expect(a.getSearchResults('k')).not.toBe('older')
    expect(await a.async.getSearchResults('k')).not.toBe('older')
  })
})
