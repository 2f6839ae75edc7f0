import { describe, expect, it, vi } from 'vitest'
import { useKinds } from './faces.js'
import { families } from './families.js'

const MINUTE = 60_000
const kinds = useKinds()

describe.each(kinds)('$name', ({ open, advance }) => {
  describe.each(families)('$name', ({ name, defaultMinutes, defaultSize, sized, get, set }) => {
    it('gives null for what is not there', async () => {
      expect(await get(await open(), 'k')).toBeNull()
    })

    it('gives what was set, by reference', async () => {
      const face = await open()
      const value = [{ title: 'Goa' }]
      expect(await set(face, 'k', value)).toBeUndefined()
      expect(await get(face, 'k')).toBe(value)
      await set(face, 'k', 'another')
      expect(await get(face, 'k')).toBe('another')
    })

    it(`keeps a value for ${defaultMinutes} minutes when nothing is said`, async () => {
      const face = await open()
      await set(face, 'k', 'v')
      await advance(defaultMinutes * MINUTE)
      expect(await get(face, 'k')).toBe('v')
      await advance(1)
      expect(await get(face, 'k')).toBeNull()
    })

    it.each([undefined, 0, Number.NaN])('takes a TTL of %s for the default', async (ttl) => {
      const face = await open()
      await set(face, 'k', 'v', ttl)
      await advance(defaultMinutes * MINUTE)
      expect(await get(face, 'k')).toBe('v')
      await advance(1)
      expect(await get(face, 'k')).toBeNull()
    })

    it.each([2, 0.5])('keeps a value for %s minutes when told so', async (ttl) => {
      const face = await open()
      await set(face, 'k', 'v', ttl)
      await advance(ttl * MINUTE)
      expect(await get(face, 'k')).toBe('v')
      await advance(1)
      expect(await get(face, 'k')).toBeNull()
    })

    it('takes a negative TTL for expired already, and drops what was there', async () => {
      const face = await open()
      await set(face, 'k', 'v')
      await set(face, 'k', 'w', -1)
      expect(await get(face, 'k')).toBeNull()
      expect(face.getStats()[name].size).toBe(0)
    })

    it('keeps for ever what is to be kept for ever', async () => {
      const face = await open()
      await set(face, 'k', 'v', Number.POSITIVE_INFINITY)
      await advance(365 * 24 * 60 * MINUTE)
      expect(await get(face, 'k')).toBe('v')
    })

    it(`holds ${defaultSize} values unless told otherwise`, async () => {
      const face = await open()
      expect(face.getStats()[name].maxSize).toBe(defaultSize)
      expect((await open(sized(3))).getStats()[name].maxSize).toBe(3)
    })

    it('counts what is truthy as a hit, and the rest as a miss that is given all the same', async () => {
      const face = await open()
      const values = [[], {}, 'v', 1, true, 0, '', false, undefined, null]
      for (const [i, value] of values.entries()) await set(face, `k${i}`, value)
      for (const [i, value] of values.entries()) expect(await get(face, `k${i}`)).toBe(value)
      await get(face, 'not there')
      expect(face.getStats()[name]).toEqual({ hits: 5, misses: 6, size: 10, maxSize: defaultSize })
      expect(face.getCacheHitRatio(name)).toBe(5 / 11)
    })

    it('stores and counts nothing while caching is disabled', async () => {
      const face = await open({ enabled: false })
      await set(face, 'k', 'v')
      expect(await get(face, 'k')).toBeNull()
      expect(face.getStats()[name]).toEqual({ hits: 0, misses: 0, size: 0, maxSize: defaultSize })
    })

    it('shows the size of what has not expired', async () => {
      const face = await open()
      await set(face, 'a', 1, 1)
      await set(face, 'b', 1, 2)
      await advance(MINUTE)
      expect(face.getStats()[name].size).toBe(2)
      await advance(1)
      expect(face.getStats()[name].size).toBe(1)
    })

    it('forgets everything and counts from zero after clearAll', async () => {
      const face = await open(sized(5))
      await set(face, 'k', 'v')
      await get(face, 'k')
      await get(face, 'x')
      expect(await face.clearAll()).toBeUndefined()
      expect(face.getStats()[name]).toEqual({ hits: 0, misses: 0, size: 0, maxSize: 5 })
      expect(await get(face, 'k')).toBeNull()
    })

    it('drops what has expired at maintenance', async () => {
      const face = await open()
      await set(face, 'k', 'v', 1)
      await advance(MINUTE + 1)
      await face.performMaintenance()
      expect(face.getStats()[name].size).toBe(0)
    })
  })

  it('keeps recommendations by user and limit', async () => {
    const face = await open()
    await face.setRecommendations('u', 6, 'six')
    await face.setRecommendations('u', 10, 'ten')
    await face.setRecommendations('w', 6, 'other')
    expect([await face.getRecommendations('u', 6), await face.getRecommendations('u', 10), await face.getRecommendations('u', 20)]).toEqual(['six', 'ten', null])
  })

  it('keeps searches and recommendations for cacheExpiryMinutes, and analytics and chat for their own time', async () => {
    const face = await open({ cacheExpiryMinutes: 5 })
    for (const { set } of families) await set(face, 'k', 'v')
    await advance(5 * MINUTE + 1)
    expect(await Promise.all(families.map(async ({ get }) => get(face, 'k')))).toEqual([null, null, 'v', 'v'])
  })

  it('drops all of a user, whatever the limit, and nothing of anybody else', async () => {
    const face = await open()
    for (const limit of [1, 6, 7, 10, 20]) await face.setRecommendations('u', limit, 'v')
    for (const user of ['u:6', 'uu', '*']) await face.setRecommendations(user, 6, 'v')
    await face.setAnalytics('u', 'v')
    await face.setAnalytics('uu', 'v')
    await face.setSearchResults('u', 'v')
    await face.setChatResponse('u', 'v')
    expect(await face.invalidateUserCache('u')).toBeUndefined()
    for (const limit of [1, 6, 7, 10, 20]) expect(await face.getRecommendations('u', limit)).toBeNull()
    expect(await face.getAnalytics('u')).toBeNull()
    for (const user of ['u:6', 'uu', '*']) expect(await face.getRecommendations(user, 6)).toBe('v')
    await face.invalidateUserCache('*')
    expect([await face.getRecommendations('*', 6), await face.getRecommendations('uu', 6), await face.getAnalytics('uu')]).toEqual([null, 'v', 'v'])
    expect([await face.getSearchResults('u'), await face.getChatResponse('u')]).toEqual(['v', 'v'])
  })

  it.each([undefined, ''])('drops all searches and nothing else without a pattern (%j)', async (pattern) => {
    const face = await open()
    for (const { set } of families) await set(face, 'k', 'v')
    expect(await face.invalidateSearchCache(pattern)).toBeUndefined()
    expect(await Promise.all(families.map(async ({ get }) => get(face, 'k')))).toEqual([null, 'v', 'v', 'v'])
  })

  it.each([
    ['search:goa*', ['search:goa:{}', 'search:goa beach:{}']],
    ['goa*', ['search:goa:{}', 'search:goa beach:{}']],
    ['*beach*', ['search:goa beach:{}', 'plain beach']],
    ['?lain*', ['plain beach']],
    ['plain', []],
    ['search:[gk]*', ['search:goa:{}', 'search:goa beach:{}', 'search:kerala:{}']],
    ['[broken', ['search:goa:{}', 'search:goa beach:{}', 'search:kerala:{}', 'plain beach']],
  ])('drops the searches that match %j', async (pattern, dropped) => {
    const face = await open()
    const keys = ['search:goa:{}', 'search:goa beach:{}', 'search:kerala:{}', 'plain beach']
    for (const key of keys) await face.setSearchResults(key, key)
    await face.setChatResponse('search:goa:{}', 'chat')
    await face.invalidateSearchCache(pattern)
    const left = await Promise.all(keys.map(async (key) => face.getSearchResults(key)))
    expect(keys.filter((_, i) => left[i] === null)).toEqual(dropped)
    expect(await face.getChatResponse('search:goa:{}')).toBe('chat')
  })

  it('gives figures that are the caller’s own', async () => {
    const face = await open()
    const stats = face.getStats()
    stats.search.hits = 99
    expect(face.getStats()).toEqual({
      search: { hits: 0, misses: 0, size: 0, maxSize: 1000 },
      recommendation: { hits: 0, misses: 0, size: 0, maxSize: 500 },
      analytics: { hits: 0, misses: 0, size: 0, maxSize: 100 },
      chat: { hits: 0, misses: 0, size: 0, maxSize: 200 },
    })
  })

  it('has a hit ratio of 0 without traffic, and for a family that does not exist', async () => {
    const face = await open()
    expect(face.getCacheHitRatio('chat')).toBe(0)
    expect(face.getCacheHitRatio('constructor' as 'chat')).toBe(0)
  })

  it('warms up when asked, and promises nothing but that', async () => {
    const face = await open()
    expect(await face.warmCache()).toBeUndefined()
  })

  it('logs one line at maintenance', async () => {
    const info = vi.fn()
    const face = await open({ logger: { info } })
    await face.setSearchResults('secret', 'secret')
    await face.performMaintenance()
    expect(info.mock.calls).toEqual([['AI cache: search 1/1000, 0 hits, 0 misses; recommendation 0/500, 0 hits, 0 misses; analytics 0/100, 0 hits, 0 misses; chat 0/200, 0 hits, 0 misses']])
  })

  it('makes keys of searches from the query and its filters', async () => {
    const face = await open()
    expect(face.generateSearchKey('goa', { days: 3, tags: ['sea'] })).toBe('search:goa:{"days":3,"tags":["sea"]}')
    expect(face.generateSearchKey('goa', undefined)).toBe('search:goa:undefined')
    expect(face.generateSearchKey('goa', null)).toBe('search:goa:null')
  })

  it('makes hashes of messages that begin with chat:, and tells contexts apart', async () => {
    const face = await open()
    const plain = face.generateMessageHash('hello')
    expect(plain).toMatch(/^chat:[\w-]{43}$/)
    expect(face.generateMessageHash('hello')).toBe(plain)
    for (const context of [undefined, null, 0, '', false, Number.NaN]) expect(face.generateMessageHash('hello', context)).toBe(plain)
    const others = [face.generateMessageHash('hello', {}), face.generateMessageHash('hello', { a: 1 }), face.generateMessageHash('hello', 'x'), face.generateMessageHash('hello!')]
    expect(new Set([plain, ...others]).size).toBe(5)
  })

  it('does not let two messages share a hash, as 31 bits do', async () => {
    const face = await open()
    expect(face.generateMessageHash('cancel trek Aa')).not.toBe(face.generateMessageHash('cancel trek BB'))
    expect(face.generateMessageHash('a', 'b')).not.toBe(face.generateMessageHash('a"b'))
  })

  it('throws at nothing: keys of what JSON cannot carry are found by nobody', async () => {
    const face = await open()
    const circular: Record<string, unknown> = {}
    circular.self = circular
    expect(face.generateSearchKey('q', circular)).toMatch(/^search:q:/)
    expect(face.generateSearchKey('q', circular)).not.toBe(face.generateSearchKey('q', circular))
    expect(face.generateMessageHash('m', { big: 1n })).toMatch(/^chat:/)
    expect(face.generateMessageHash('m', { big: 1n })).not.toBe(face.generateMessageHash('m', { big: 1n }))
  })

  it('throws at nothing that JavaScript passes, and leaves nothing unhandled', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    try {
      const face = await open()
      const broken = () => {
        throw new Error('of the application')
      }
      const odd = [null, undefined, 5, 5n, Symbol('s'), true, /x/, {}, [], broken, Object.create(null), { toString: broken, valueOf: broken, toJSON: broken }, { length: 1 }]
      const methods = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(face)) as Record<string, PropertyDescriptor>)
        .concat(Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(Object.getPrototypeOf(face)))))
        .filter(([name, { value }]) => typeof value === 'function' && !['constructor', 'close'].includes(name))
      expect(methods.length).toBeGreaterThanOrEqual(17)
      for (const value of odd) for (const [, { value: method }] of methods) await (method as (...args: unknown[]) => unknown).call(face, value, value, value, value)
      await face.setSearchResults('k', 'v', '2' as unknown as number)
      expect(await face.getSearchResults('k')).toBe('v')
      await advance(2 * MINUTE + 1)
      expect(await face.getSearchResults('k')).toBeNull()
      expect(unhandled).not.toHaveBeenCalled()
    } finally {
      process.off('unhandledRejection', unhandled)
    }
  })

  it.each([null, 5, /goa/, {}])('drops all searches for what is no pattern at all (%j)', async (pattern) => {
    const face = await open()
    await face.setSearchResults('k', 'v')
    await face.invalidateSearchCache(pattern as unknown as string)
    expect(await face.getSearchResults('k')).toBeNull()
  })

  it('takes the keys of old JavaScript as text', async () => {
    const face = await open()
    await face.setAnalytics(5 as unknown as string, 'v')
    expect(await face.getAnalytics('5')).toBe('v')
    await face.setRecommendations(5 as unknown as string, '6' as unknown as number, 'v')
    expect(await face.getRecommendations('5', 6)).toBe('v')
    await face.invalidateUserCache(5 as unknown as string)
    expect([await face.getAnalytics('5'), await face.getRecommendations('5', 6)]).toEqual([null, null])
    await face.setChatResponse(undefined as unknown as string, 'v')
    expect(await face.getChatResponse('undefined')).toBe('v')
  })

  it('takes any text for a key', async () => {
    const face = await open()
    const keys = ['', '\0', '\0\0', '\ud83d', '{}*?[', 'x'.repeat(100_000), '__proto__']
    for (const [i, key] of keys.entries()) await face.setSearchResults(key, i + 1)
    for (const [i, key] of keys.entries()) expect(await face.getSearchResults(key)).toBe(i + 1)
    for (const [i, key] of keys.entries()) await face.setAnalytics(key, i + 1)
    for (const key of keys) await face.invalidateUserCache(key)
    expect(face.getStats().analytics.size).toBe(0)
  })

  it('keeps a value that cannot be sent anywhere in this process', async () => {
    const face = await open()
    const value = { call: () => 42 }
    await face.setChatResponse('k', value)
    expect(await face.getChatResponse('k')).toBe(value)
  })
})
