import { expect, it, onTestFinished, vi } from 'vitest'
import type { AICacheService } from '@tiercel/ai'
import { describeWithRedis, type FaultProxy } from '../../../core/test/redis/server/index.js'
import { gone, soon, until, useServices } from './services.js'

/** Nothing passes, and those who use it are told. */
function sever(way: FaultProxy): void {
  way.refuse()
  way.reset()
}

describeWithRedis('while Redis is away', () => {
  const services = useServices()
  const { open, opening, proxy } = services

  it('memory goes on, and so does everything else in this process', async () => {
    const a = await open()
    const value = { n: 1 }
    a.setSearchResults('k', value)
    a.setRecommendations('u', 3, 'v')
    await a.flush()
    await services.redis.kill()
    try {
      expect(a.getSearchResults('k')).toBe(value)
      a.setSearchResults('new', 'v')
      a.invalidateUserCache('u')
      a.invalidateSearchCache('x*')
      expect([a.getSearchResults('new'), a.getRecommendations('u', 3), a.getSearchResults('none')]).toEqual(['v', null, null])
      expect(await a.async.getSearchResults('k')).toBe(value)
      await a.async.setChatResponse('c', 'v')
      expect(await a.async.getChatResponse('c')).toBe('v')
      expect(await a.async.getChatResponse('none')).toBeNull()
      await Promise.all([a.async.invalidateUserCache('u'), a.async.invalidateSearchCache('zzz'), a.warmCache(), a.flush()])
      a.setSearchResults('short', 'v', 0.0005)
      await until(() => a.getSearchResults('short'), gone)
      expect(a.getSearchResults('k')).toBe(value)
    } finally {
      await services.redis.start()
    }
  })

  it('a service starts without it, and shares once it is there', async () => {
    await services.redis.kill()
    const a = opening({ connectTimeout: '2s' })
    a.setSearchResults('k', 'v')
    await a.ready
    expect(a.getSearchResults('k')).toBe('v')
    await services.redis.start()
    const b = await open()
    expect(await until(() => b.getSearchResults('k'))).toBe('v')
  })

  it('a restart that loses all leaves memory as it is, and what was set meanwhile is shared', async () => {
    const [a, b] = [await open(), await open()]
    const value = { n: 1 }
    a.setSearchResults('before', value)
    await until(() => b.getSearchResults('before'))
    await services.redis.kill()
    a.setSearchResults('meanwhile', 'v')
    b.setChatResponse('of b', 'v')
    await services.redis.start()
    expect(await until(() => b.getSearchResults('meanwhile'))).toBe('v')
    expect(await until(() => a.getChatResponse('of b'))).toBe('v')
    expect(a.getSearchResults('before')).toBe(value)
    expect(b.getSearchResults('before')).toEqual(value)
    const c = await open()
    expect(await c.async.getSearchResults('meanwhile')).toBe('v')
  })

  it('a restart that loses nothing is over at once', async () => {
    const [a, b] = [await open(), await open()]
    a.setSearchResults('before', 'v')
    await until(() => b.getSearchResults('before'))
    await services.redis.restart('everything')
    a.setSearchResults('after', 'v')
    expect(await until(() => b.getSearchResults('after'))).toBe('v')
    expect([a.getSearchResults('before'), b.getSearchResults('before')]).toEqual(['v', 'v'])
  })

  it('invalidations are kept, and told before anything is read from it again', async () => {
    const [a, b] = [await open(), await open()]
    const way = await proxy()
    const cut = await open({ redis: way.url })
    a.setSearchResults('search:k:{}', 'old')
    a.setRecommendations('u', 3, 'old')
    a.setChatResponse('c', 'old')
    await until(() => cut.getChatResponse('c'))
    sever(way)
    cut.invalidateSearchCache('k*')
    cut.invalidateUserCache('u')
    await cut.flush()
    expect([cut.getSearchResults('search:k:{}'), cut.getRecommendations('u', 3)]).toEqual([null, null])
    expect(await cut.async.getRecommendations('u', 3)).toBeNull()
    await way.heal()
    const seen = new Set<unknown>()
    await until(() => {
      seen.add(cut.getSearchResults('search:k:{}')).add(cut.getRecommendations('u', 3))
      return b.getRecommendations('u', 3)
    }, gone)
    await until(() => b.getSearchResults('search:k:{}'), gone)
    expect(await cut.async.getSearchResults('search:k:{}')).toBeNull()
    expect([...seen]).toEqual([null])
    expect([cut.getChatResponse('c'), b.getChatResponse('c')]).toEqual(['old', 'old'])
  })

  it('what is queued is sent when it is back, with the time that is left', async () => {
    const way = await proxy()
    const [a, b] = [await open({ redis: way.url }), await open()]
    sever(way)
    for (let i = 0; i < 50; i++) a.setSearchResults(`k${i}`, i + 1, 10)
    a.setSearchResults('short', 'v', 0.0001)
    await way.heal()
    for (let i = 0; i < 50; i++) expect(await until(() => b.getSearchResults(`k${i}`))).toBe(i + 1)
    expect(b.getSearchResults('short')).toBeNull()
    expect(Number(await services.redis.cli('PTTL', 'ai:search:1:{k1}:v'))).toBeLessThanOrEqual(600_000)
  })
})

describeWithRedis('a process that was cut off', () => {
  const services = useServices()
  const { open, proxy } = services

  async function cutOff(): Promise<{ a: AICacheService; b: AICacheService; way: FaultProxy }> {
    const way = await proxy()
    const [a, b] = [await open({ redis: way.url }), await open()]
    return { a, b, way }
  }

  it.each<readonly [string, (b: AICacheService) => void]>([
    ['all', (b) => b.invalidateSearchCache()],
    ['a pattern', (b) => b.invalidateSearchCache('gone*')],
    ['everything', (b) => b.clearAll()],
  ])('loses what was invalidated meanwhile, by %s', async (_, invalidate) => {
    const { a, b, way } = await cutOff()
    a.setSearchResults('search:gone:{}', 'v')
    await until(() => b.getSearchResults('search:gone:{}'))
    sever(way)
    invalidate(b)
    await b.flush()
    expect(a.getSearchResults('search:gone:{}')).toBe('v')
    await way.heal()
    await until(() => a.getSearchResults('search:gone:{}'), gone)
    expect(await a.async.getSearchResults('search:gone:{}')).toBeNull()
  })

  it('loses what was invalidated meanwhile on a Redis that has lost everything', async () => {
    const { a, b, way } = await cutOff()
    for (let i = 0; i < 5; i++) await a.async.invalidateSearchCache()
    a.setSearchResults('k', 'v')
    await until(() => b.getSearchResults('k'))
    sever(way)
    await services.redis.restart()
    b.invalidateSearchCache()
    const c = await open()
    await vi.waitUntil(async () => (await services.redis.cli('GET', 'ai:1:invalidations')) !== null && String(await services.redis.cli('GET', 'ai:1:invalidations')).endsWith('.1'), soon)
    await way.heal()
    await until(() => a.getSearchResults('k'), gone)
    expect(await c.async.getSearchResults('k')).toBeNull()
  })

  it('does not bring back what was invalidated meanwhile', async () => {
    const { a, b, way } = await cutOff()
    sever(way)
    a.setSearchResults('k', 'from before')
    b.invalidateSearchCache()
    await b.flush()
    await way.heal()
    await until(() => a.getSearchResults('k'), gone)
    await a.flush()
    expect(await b.async.getSearchResults('k')).toBeNull()
    expect(await (await open()).async.getSearchResults('k')).toBeNull()
  })

  it('has the newer values that were set meanwhile', async () => {
    const { a, b, way } = await cutOff()
    a.setSearchResults('k', 'older')
    await until(() => b.getSearchResults('k'))
    sever(way)
    b.setSearchResults('k', 'newer')
    b.setSearchResults('another', 'v')
    await b.flush()
    await way.heal()
    expect(await until(() => a.getSearchResults('k'), (value) => value === 'newer')).toBe('newer')
    expect(await until(() => a.getSearchResults('another'))).toBe('v')
  })

  it('keeps all it has, by reference, when nothing was invalidated', async () => {
    const { a, b, way } = await cutOff()
    const values = Array.from({ length: 20 }, (_, i) => ({ i }))
    // What it told others itself it need not be told.
    a.invalidateSearchCache('none*')
    values.forEach((value, i) => a.setSearchResults(`k${i}`, value))
    // Redis cannot have this one, so nothing but memory does.
    a.setAnalytics('here', { call: () => 42 })
    await a.flush()
    for (let round = 0; round < 3; round++) {
      way.reset()
      b.setChatResponse(`round${round}`, 'v')
      await until(() => a.getChatResponse(`round${round}`))
    }
    values.forEach((value, i) => expect(a.getSearchResults(`k${i}`)).toBe(value))
    expect(a.getAnalytics('here')).not.toBeNull()
  })
})

describeWithRedis('closing', () => {
  const services = useServices()
  const { open, opening, proxy } = services

  it('writes what was set, first', async () => {
    const a = await open()
    for (let i = 0; i < 200; i++) a.setSearchResults(`k${i}`, i + 1)
    a.setRecommendations('u', 1, 'v')
    a.invalidateUserCache('u')
    // It does not wait for ever, and has as long as it takes here.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    await a.close()
    vi.useRealTimers()
    const b = await open()
    for (let i = 0; i < 200; i++) expect(b.getSearchResults(`k${i}`)).toBe(i + 1)
    expect(b.getRecommendations('u', 1)).toBeNull()
  })

  it('leaves a service that finds and keeps nothing, and throws at nothing', async () => {
    const a = await open()
    a.setSearchResults('k', 'v')
    await a.close()
    await a.close()
    a.setSearchResults('k', 'v')
    a.clearAll()
    a.invalidateUserCache('u')
    a.invalidateSearchCache()
    a.performMaintenance()
    await Promise.all([a.ready, a.flush(), a.warmCache(), a.async.setChatResponse('k', 'v'), a.async.clearAll()])
    expect([a.getSearchResults('k'), await a.async.getSearchResults('k')]).toEqual([null, null])
    expect(a.getStats().search).toEqual({ hits: 0, misses: 0, size: 0, maxSize: 1000 })
  })

  it('ends in bounded time, whatever Redis does', async () => {
    const way = await proxy()
    const hanging = await open({ deadline: '400ms', redis: way.url })
    hanging.setSearchResults('k', 'v')
    way.pause()
    // Were there no bound, the test would not end.
    for (const service of [hanging, opening({ redis: 'redis://127.0.0.1:1' })]) await expect(service.close()).resolves.toBeUndefined()
  })
})

describeWithRedis('nothing rejects', () => {
  const services = useServices()

  it('whatever is called while Redis goes and comes', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    try {
      const a = await services.open()
      const turn = () => {
        for (let i = 0; i < 20; i++) {
          a.setSearchResults(`k${i}`, i)
          a.getSearchResults(`x${i}`)
          a.setRecommendations(`u${i}`, 1, i)
        }
        a.invalidateUserCache('u1')
        a.invalidateSearchCache('k1*')
        a.clearAll()
        void a.async.getChatResponse('c')
        void a.warmCache()
      }
      for (let round = 0; round < 3; round++) {
        turn()
        await services.redis.kill()
        turn()
        await services.redis.start()
        turn()
        await vi.waitUntil(async () => (await services.open()).getStats().search.size >= 0, soon)
      }
      const b = await services.open()
      a.setSearchResults('last', 'v')
      await until(() => b.getSearchResults('last'))
      expect(unhandled).not.toHaveBeenCalled()
    } finally {
      process.off('unhandledRejection', unhandled)
    }
  })
})
