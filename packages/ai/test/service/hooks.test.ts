import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createAICacheService, type AICacheOptions, type AICacheService } from '@tiercel/ai'

const opened: AICacheService[] = []
const warn = vi.fn()

function open(options: AICacheOptions): AICacheService {
  const service = createAICacheService({ redis: false, enabled: true, logger: { warn }, ...options })
  opened.push(service)
  return service
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((service) => service.close()))
  warn.mockClear()
})

describe('isCacheable', () => {
  it('keeps out what only says that something failed', () => {
    const ai = open({ isCacheable: (value, family) => family !== 'chat' || (value as { source?: string }).source !== undefined })
    ai.setChatResponse('k', { response: 'Sorry, try again later' })
    expect(ai.getChatResponse('k')).toBeNull()
    ai.setChatResponse('k', { response: 'hello', source: 'model' })
    ai.setChatResponse('k', { response: 'Sorry, try again later' })
    expect(ai.getChatResponse('k')).toEqual({ response: 'hello', source: 'model' })
    ai.setSearchResults('k', [])
    expect(ai.getSearchResults('k')).toEqual([])
  })

  it('that throws keeps nothing, and is told to the logger', async () => {
    const ai = open({
      isCacheable: () => {
        throw new Error('of the application')
      },
    })
    ai.setSearchResults('k', 'v')
    await ai.async.setSearchResults('k', 'v')
    expect(ai.getSearchResults('k')).toBeNull()
    expect(warn).toHaveBeenCalledTimes(2)
  })
})

describe('normalizeContext', () => {
  interface Context {
    topic: string
    timestamp: number
  }

  it('lets a context with timestamps be found again', () => {
    const ai = open({ normalizeContext: (context) => ({ topic: (context as Context).topic }) })
    expect(ai.generateMessageHash('m', { topic: 'goa', timestamp: 1 })).toBe(ai.generateMessageHash('m', { topic: 'goa', timestamp: 2 }))
    expect(ai.generateMessageHash('m', { topic: 'goa', timestamp: 1 })).not.toBe(ai.generateMessageHash('m', { topic: 'agra', timestamp: 1 }))
    const plain = open({})
    expect(plain.generateMessageHash('m', { topic: 'goa', timestamp: 1 })).not.toBe(plain.generateMessageHash('m', { topic: 'goa', timestamp: 2 }))
  })

  it('is not asked about a context that counts as none, and may make one none', () => {
    const normalizeContext = vi.fn(() => undefined)
    const ai = open({ normalizeContext })
    ai.generateMessageHash('m')
    ai.generateMessageHash('m', '')
    expect(normalizeContext).not.toHaveBeenCalled()
    expect(ai.generateMessageHash('m', { topic: 'goa' })).toBe(ai.generateMessageHash('m'))
  })

  it('that throws makes hashes that nobody finds', () => {
    const ai = open({
      normalizeContext: () => {
        throw new Error('of the application')
      },
    })
    expect(ai.generateMessageHash('m', {})).toMatch(/^chat:/)
    expect(ai.generateMessageHash('m', {})).not.toBe(ai.generateMessageHash('m', {}))
  })
})

describe('scope', () => {
  const users = new AsyncLocalStorage<string>()
  const as = <T>(user: string, work: () => T): T => users.run(user, work)

  it('lets users have values of their own under one key', async () => {
    const ai = open({ scope: () => users.getStore() })
    as('ada', () => ai.setChatResponse('k', 'for ada'))
    expect(as('ada', () => ai.getChatResponse('k'))).toBe('for ada')
    expect(as('bob', () => ai.getChatResponse('k'))).toBeNull()
    expect(ai.getChatResponse('k')).toBeNull()
    ai.setChatResponse('k', 'for all')
    expect(ai.getChatResponse('k')).toBe('for all')
    expect(as('bob', () => ai.getChatResponse('k'))).toBeNull()
    expect(await as('ada', () => ai.async.getChatResponse('k'))).toBe('for ada')
  })

  it.each([
    ['a', 'bk', 'ab', 'k'],
    ['', '\u00001:ak', 'a', 'k'],
    ['1:a', 'k', '', '1:ak'],
    ['a', '\u0000', 'a\u0000', ''],
  ])('does not mix up %j with %j and %j with %j', (scope, key, otherScope, otherKey) => {
    const ai = open({ scope: () => users.getStore() })
    as(scope, () => ai.setSearchResults(key, 'v'))
    expect(as(otherScope, () => ai.getSearchResults(otherKey))).toBeNull()
    expect(as(scope, () => ai.getSearchResults(key))).toBe('v')
  })

  it('is no limit to invalidations', () => {
    const ai = open({ scope: () => users.getStore() })
    as('ada', () => {
      ai.setSearchResults('search:goa:{}', 'v')
      ai.setSearchResults('search:agra:{}', 'v')
      ai.setRecommendations('u', 6, 'v')
      ai.setAnalytics('u', 'v')
    })
    ai.invalidateSearchCache('goa*')
    expect(as('ada', () => [ai.getSearchResults('search:goa:{}'), ai.getSearchResults('search:agra:{}')])).toEqual([null, 'v'])
    ai.invalidateUserCache('u')
    expect(as('ada', () => [ai.getRecommendations('u', 6), ai.getAnalytics('u')])).toEqual([null, null])
  })

  it('may be a number, as ids are, and does not mix them up', () => {
    let id: unknown = 5
    const ai = open({ scope: () => id as string })
    ai.setSearchResults('1k', 'of 5')
    id = 51
    expect(ai.getSearchResults('k')).toBeNull()
    id = '5'
    expect(ai.getSearchResults('1k')).toBe('of 5')
    ai.invalidateSearchCache('1k')
    expect(ai.getSearchResults('1k')).toBeNull()
    id = null
    ai.setSearchResults('k', 'of all')
    id = undefined
    expect(ai.getSearchResults('k')).toBe('of all')
  })

  it.each([{}, [], Promise.resolve('ada'), true, Symbol('s')])('that is no text (%o) finds and keeps nothing: it would be the same for everybody', async (value) => {
    const ai = open({ scope: () => value as unknown as string })
    ai.setSearchResults('k', 'v')
    expect([ai.getSearchResults('k'), await ai.async.getSearchResults('k')]).toEqual([null, null])
    expect(warn.mock.calls[0]).toEqual([{ err: expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }) }, expect.any(String)])
  })

  it('that throws finds and keeps nothing', () => {
    let fails = false
    const ai = open({
      scope: () => {
        if (fails) throw new Error('of the application')
        return 'ada'
      },
    })
    ai.setSearchResults('k', 'v')
    fails = true
    ai.setSearchResults('k', 'w')
    expect(ai.getSearchResults('k')).toBeNull()
    fails = false
    expect(ai.getSearchResults('k')).toBe('v')
    expect(warn).toHaveBeenCalledTimes(2)
  })
})

it('a logger that throws does no harm', () => {
  const broken = () => {
    throw new Error('the logger')
  }
  const ai = open({ logger: { info: broken, warn: broken }, isCacheable: broken })
  ai.setSearchResults('k', 'v')
  ai.performMaintenance()
  expect(ai.getSearchResults('k')).toBeNull()
})
