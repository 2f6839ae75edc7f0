import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RedisTarget } from '@tiercel/core/connection'
import { template } from '../../../core/test/redis/clients/variants.js'
import { describeWithRedis, startCluster, type RedisCluster } from '../../../core/test/redis/server/index.js'
import { gone, until, useServices } from './services.js'

describeWithRedis('processes with different clients', () => {
  const services = useServices()
  const { open } = services

  it('share values and invalidations', async () => {
    const { url } = services.redis
    const all = await Promise.all((['redis', 'redis5', 'ioredis', 'ioredis5'] as const).map((name) => open({ redis: template(name, url) })))
    for (const [i, one] of all.entries()) {
      one.setSearchResults(`search:k${i}:{}`, { i })
      one.setRecommendations(`u${i}`, 3, [i])
    }
    for (const one of all) {
      for (const i of all.keys()) expect([await until(() => one.getSearchResults(`search:k${i}:{}`)), await until(() => one.getRecommendations(`u${i}`, 3))]).toEqual([{ i }, [i]])
    }
    for (const [i, one] of all.entries()) {
      one.invalidateSearchCache(`k${i}*`)
      one.invalidateUserCache(`u${i}`)
      await one.flush()
    }
    for (const one of all) {
      for (const i of all.keys()) {
        await until(() => one.getSearchResults(`search:k${i}:{}`), gone)
        await until(() => one.getRecommendations(`u${i}`, 3), gone)
      }
    }
  })
})

describeWithRedis('in a cluster', () => {
  const services = useServices()
  let cluster: RedisCluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster.stop())

  function clients(): RedisTarget[] {
    return [createCluster({ rootNodes: cluster.urls.map((url) => ({ url })) }), new Cluster([...cluster.urls], { lazyConnect: true })]
  }

  it('processes share values, invalidations and the newest', async () => {
    const [a, b] = await Promise.all(clients().map((redis) => services.open({ redis, name: 'shared' })))
    if (a === undefined || b === undefined) throw new Error('two clients')
    for (let i = 0; i < 40; i++) a.setSearchResults(`search:k${i}:{}`, i + 1)
    a.setRecommendations('u', 6, 'v')
    a.setAnalytics('u', 'v')
    for (let i = 0; i < 40; i++) expect(await until(() => b.getSearchResults(`search:k${i}:{}`))).toBe(i + 1)
    await a.flush()
    const c = await services.open({ redis: clients()[0] as RedisTarget, name: 'shared' })
    for (let i = 0; i < 40; i++) expect(c.getSearchResults(`search:k${i}:{}`)).toBe(i + 1)
    b.invalidateUserCache('u')
    b.invalidateSearchCache('k1*')
    await b.flush()
    for (const one of [a, c]) {
      await until(() => one.getRecommendations('u', 6), gone)
      await until(() => one.getAnalytics('u'), gone)
      await until(() => one.getSearchResults('search:k11:{}'), gone)
      expect(await one.async.getSearchResults('search:k11:{}')).toBeNull()
      expect(await one.async.getSearchResults('search:k2:{}')).toBe(3)
    }
    a.clearAll()
    await a.flush()
    await until(() => b.getSearchResults('search:k2:{}'), gone)
    expect(await c.async.getSearchResults('search:k2:{}')).toBeNull()
  })

  it('two processes that set one key come to the same value', async () => {
    const [a, b] = await Promise.all(clients().map((redis) => services.open({ redis, name: 'contested' })))
    if (a === undefined || b === undefined) throw new Error('two clients')
    for (let round = 0; round < 10; round++) {
      a.setSearchResults('k', `a${round}`)
      b.setSearchResults('k', `b${round}`)
      await Promise.all([a.flush(), b.flush()])
      expect(await until(() => a.getSearchResults('k') !== null && a.getSearchResults('k') === b.getSearchResults('k'), (same) => same === true)).toBe(true)
    }
  })
})
