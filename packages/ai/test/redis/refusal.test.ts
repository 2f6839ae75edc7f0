import { expect, it, vi } from 'vitest'
import { describeWithRedis, startRedis } from '../../../core/test/redis/server/index.js'
import { gone, soon, until, useServices } from './services.js'

describeWithRedis('a Redis that is full', () => {
  const services = useServices()
  const { open, opening, redis } = { ...services, redis: () => services.redis }

  it('is told of invalidations all the same, makes nobody wait, and serves who starts', async () => {
    const [a, b] = [await open(), await open()]
    a.setSearchResults('k', 'v')
    a.setChatResponse('c', 'v')
    await until(() => b.getSearchResults('k'))
    await until(() => b.getChatResponse('c'))
    await a.flush()
    await redis().fillUp()
    try {
      a.setSearchResults('refused', 'v')
      await a.flush()
      await a.async.setSearchResults('refused too', 'v')
      expect([a.getSearchResults('refused'), await a.async.getSearchResults('refused too')]).toEqual(['v', 'v'])
      await a.async.invalidateSearchCache()
      await until(() => b.getSearchResults('k'), gone)
      const c = opening()
      await c.ready
      expect(await c.async.getChatResponse('c')).toBe('v')
      expect(await c.async.getSearchResults('k')).toBeNull()
      await Promise.all([c.warmCache(), c.flush(), a.flush()])
    } finally {
      await redis().drain()
    }
    a.setSearchResults('after', 'v')
    expect(await until(() => b.getSearchResults('after'))).toBe('v')
  })

  it('and has lost the count of invalidations, serves who starts', async () => {
    const a = await open()
    a.setChatResponse('c', 'v')
    await a.flush()
    await redis().cli('DEL', 'ai:1:invalidations')
    await redis().fillUp()
    try {
      expect(await opening().async.getChatResponse('c')).toBe('v')
    } finally {
      await redis().drain()
    }
  })
})

describeWithRedis('a Redis that refuses', () => {
  const services = useServices()
  const { open, opening } = services

  it('to count invalidations makes nobody wait: a service works in memory', async () => {
    const redis = await startRedis()
    try {
      const url = await redis.addUser('limited', 'word', ['~*', '&*', '+@all', '-get'])
      const a = opening({ redis: url, connectTimeout: '2s', deadline: '2s' })
      await a.ready
      a.setSearchResults('k', 'v')
      await a.async.setChatResponse('c', 'v')
      await Promise.all([a.flush(), a.warmCache(), a.async.invalidateUserCache('u'), a.async.getAnalytics('u')])
      expect([a.getSearchResults('k'), await a.async.getChatResponse('c')]).toEqual(['v', 'v'])
      await a.close()
    } finally {
      await redis.stop()
    }
  })

  it('writes for a while, as a replica does, is given them later, and is told what was invalidated', async () => {
    const [a, b] = [await open(), await open()]
    a.setSearchResults('kept', 'v')
    a.setSearchResults('gone', 'v')
    await until(() => b.getSearchResults('gone'))
    await services.redis.cli('REPLICAOF', '127.0.0.1', '1')
    try {
      a.setSearchResults('meanwhile', 'v')
      a.invalidateSearchCache('gone')
      await a.flush()
      expect([a.getSearchResults('meanwhile'), a.getSearchResults('gone'), await a.async.getSearchResults('none')]).toEqual(['v', null, null])
    } finally {
      await services.redis.cli('REPLICAOF', 'NO', 'ONE')
    }
    expect(await until(() => b.getSearchResults('meanwhile'))).toBe('v')
    await until(() => b.getSearchResults('gone'), gone)
    expect([a.getSearchResults('kept'), b.getSearchResults('kept')]).toEqual(['v', 'v'])
  })
})

describeWithRedis('an index that is gone', () => {
  const services = useServices()
  const { open } = services
  const index = 'ai:search:1:newest'

  it.each<readonly [string, () => Promise<unknown>]>([
    ['pushed out', () => services.redis.cli('DEL', index)],
    ['overwritten by somebody', () => services.redis.cli('SET', index, 'not ours')],
  ])('leaves nothing in Redis that a pattern does not find: %s', async (_, lose) => {
    const [a, b] = [await open(), await open()]
    a.setSearchResults('search:goa:{}', 'old')
    await until(() => b.getSearchResults('search:goa:{}'))
    await a.flush()
    await lose()
    // It is begun anew, without the older key.
    b.setSearchResults('search:agra:{}', 'v')
    await b.flush()
    a.invalidateSearchCache('goa*')
    await a.flush()
    expect(await a.async.getSearchResults('search:goa:{}')).toBeNull()
    expect(await (await open()).async.getSearchResults('search:goa:{}')).toBeNull()
    // Memory is as good as ever.
    expect([a.getSearchResults('search:agra:{}'), b.getSearchResults('search:agra:{}')]).toEqual(['v', 'v'])
  })

  it('does so too when nothing was stored since', async () => {
    const a = await open()
    a.setSearchResults('search:goa:{}', 'old')
    await a.flush()
    await services.redis.cli('DEL', index)
    a.invalidateSearchCache('goa*')
    await a.flush()
    expect(await a.async.getSearchResults('search:goa:{}')).toBeNull()
  })

  it('costs processes nothing that they have in memory', async () => {
    const [a, b] = [await open(), await open()]
    for (let i = 0; i < 10; i++) a.setSearchResults(`k${i}`, i + 1)
    await a.flush()
    await until(() => b.getSearchResults('k9'))
    await services.redis.cli('DEL', index)
    a.setSearchResults('k10', 11)
    await until(() => b.getSearchResults('k10'))
    for (let i = 0; i < 10; i++) expect([a.getSearchResults(`k${i}`), b.getSearchResults(`k${i}`)]).toEqual([i + 1, i + 1])
  })

  it('costs Redis nothing that is set from then on', async () => {
    const a = await open()
    a.setSearchResults('before', 'v')
    await a.flush()
    await services.redis.cli('DEL', index)
    for (const key of ['k', 'l']) a.setSearchResults(key, 'v')
    await a.flush()
    const b = await open()
    expect([b.getSearchResults('k'), b.getSearchResults('l'), b.getSearchResults('before')]).toEqual(['v', 'v', null])
  })

  it('keeps the first values of a family where they are found', async () => {
    const a = await open()
    await a.async.setSearchResults('first', 'v')
    expect(await (await open()).async.getSearchResults('first')).toBe('v')
  })

  it('makes Redis forget what could not be named', async () => {
    const redis = await startRedis()
    try {
      const url = await redis.addUser('limited', 'word', ['~*', '&*', '+@all', '-zadd'])
      const a = await open({ redis: url })
      a.setSearchResults('k', 'v')
      await a.flush()
      expect(a.getSearchResults('k')).toBe('v')
      await vi.waitFor(async () => expect(await redis.cli('KEYS', '*:v')).toEqual([]), soon)
      await a.close()
    } finally {
      await redis.stop()
    }
  })
})
