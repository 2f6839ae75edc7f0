import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAICacheService } from '@tiercel/ai'

const MINUTE = 60_000

beforeEach(() => {
  vi.resetModules()
  for (const name of ['NODE_ENV', 'AI_CACHE_ENABLED', 'AI_CACHE_EXPIRY_MINUTES', 'REDIS_URL', 'REDIS_HOST']) vi.stubEnv(name, undefined)
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** How long it keeps a search, in minutes. */
function keptMinutes(ai: { setSearchResults(key: string, value: unknown): void; getSearchResults(key: string): unknown }): number {
  ai.setSearchResults('k', 'v')
  for (let minutes = 1; minutes <= 200; minutes++) {
    vi.setSystemTime(Date.now() + MINUTE)
    if (ai.getSearchResults('k') === null) return minutes - 1
    if (minutes === 200) return Number.POSITIVE_INFINITY
  }
  return 0
}

describe('the service of the process', () => {
  it('is one object under three names, with the awaited face beside it', async () => {
    const ai = await import('@tiercel/ai')
    expect(ai.default).toBe(ai.aiCacheService)
    expect(ai.redisAICacheService).toBe(ai.aiCacheService.async)
    ai.aiCacheService.setChatResponse('k', 'v')
    expect(await ai.redisAICacheService.getChatResponse('k')).toBe('v')
    expect(ai.redisAICacheService.getStats().chat.hits).toBe(1)
  })

  it.each([
    [undefined, undefined, 30],
    ['test', undefined, 30],
    ['production', undefined, 60],
    ['production', '7', 7],
    [undefined, ' 90 ', 90],
    [undefined, '', 30],
  ])('with NODE_ENV %s and AI_CACHE_EXPIRY_MINUTES %j keeps searches for %i minutes', async (env, minutes, expected) => {
    vi.stubEnv('NODE_ENV', env)
    vi.stubEnv('AI_CACHE_EXPIRY_MINUTES', minutes)
    expect(keptMinutes((await import('@tiercel/ai')).aiCacheService)).toBe(expected)
  })

  it.each([
    [undefined, true],
    ['', true],
    ['true', true],
    ['false', false],
    ['FALSE', false],
    ['0', false],
  ])('with AI_CACHE_ENABLED %j is on: %s', async (enabled, isOn) => {
    vi.stubEnv('AI_CACHE_ENABLED', enabled)
    const { aiCacheService } = await import('@tiercel/ai')
    aiCacheService.setSearchResults('k', 'v')
    expect(aiCacheService.getSearchResults('k')).toBe(isOn ? 'v' : null)
    expect(aiCacheService.getStats().search.hits).toBe(isOn ? 1 : 0)
  })

  it('reads the environment at its first use, not when it is imported', async () => {
    const { aiCacheService } = await import('@tiercel/ai')
    vi.stubEnv('AI_CACHE_EXPIRY_MINUTES', '3')
    expect(keptMinutes(aiCacheService)).toBe(3)
    vi.stubEnv('AI_CACHE_EXPIRY_MINUTES', '5')
    expect(keptMinutes(aiCacheService)).toBe(3)
  })

  it.each([
    ['AI_CACHE_EXPIRY_MINUTES', 'soon'],
    ['AI_CACHE_EXPIRY_MINUTES', '-1'],
    ['AI_CACHE_ENABLED', 'perhaps'],
    ['REDIS_URL', 'a secret'],
    ['REDIS_HOST', 'no host!'],
  ])('goes on with a bad %s, and says so once without its value', async (name, value) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    vi.stubEnv(name, value)
    const { aiCacheService } = await import('@tiercel/ai')
    expect(keptMinutes(aiCacheService)).toBe(30)
    expect(warned).toHaveBeenCalledOnce()
    expect(String(warned.mock.calls)).toContain(name)
    expect(String(warned.mock.calls)).not.toContain(value)
  })

  it('says so of each that is bad', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    vi.stubEnv('AI_CACHE_ENABLED', 'perhaps')
    vi.stubEnv('AI_CACHE_EXPIRY_MINUTES', 'soon')
    const { aiCacheService } = await import('@tiercel/ai')
    expect(keptMinutes(aiCacheService)).toBe(30)
    expect(warned.mock.calls.map(([line]) => /AI_CACHE_\w+/.exec(String(line))?.[0])).toEqual(['AI_CACHE_ENABLED', 'AI_CACHE_EXPIRY_MINUTES'])
  })

  it('logs to the console when it maintains itself', async () => {
    const logged = vi.spyOn(console, 'log').mockImplementation(() => {})
    const { aiCacheService } = await import('@tiercel/ai')
    aiCacheService.performMaintenance()
    expect(logged).toHaveBeenCalledOnce()
  })
})

describe('a service of one’s own', () => {
  it('has options that override the environment', () => {
    vi.stubEnv('AI_CACHE_ENABLED', 'false')
    vi.stubEnv('AI_CACHE_EXPIRY_MINUTES', '7')
    vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:1')
    expect(keptMinutes(createAICacheService({ enabled: true, cacheExpiryMinutes: 2, redis: false, logger: {} }))).toBe(2)
  })

  it('has nothing in common with another one in memory', () => {
    const [a, b] = [createAICacheService({ redis: false }), createAICacheService({ redis: false })]
    a.setSearchResults('k', 'v')
    expect(b.getSearchResults('k')).toBeNull()
  })

  it.each([
    [{ searchCacheSize: 0 }, 'searchCacheSize'],
    [{ chatCacheSize: 1.5 }, 'chatCacheSize'],
    [{ analyticsCacheSize: Number.NaN }, 'analyticsCacheSize'],
    [{ recommendationCacheSize: '5' }, 'recommendationCacheSize'],
    [{ cacheExpiryMinutes: 0 }, 'cacheExpiryMinutes'],
    [{ cacheExpiryMinutes: '5' }, 'cacheExpiryMinutes'],
    [{ enabled: 'yes' }, 'enabled'],
    [{ scope: 'ada' }, 'scope'],
    [{ isCacheable: true }, 'isCacheable'],
    [{ normalizeContext: {} }, 'normalizeContext'],
    [{ logger: 'console' }, 'logger'],
    [{ ttl: 5 }, 'ttl'],
    [{ redis: 'redis://localhost', name: 'not a name' }, 'name'],
    [{ redis: 'redis://localhost', deadline: 0 }, 'deadline'],
    [{ redis: 'http://localhost' }, 'redis'],
    [null, 'options'],
  ])('refuses %j', (options, named) => {
    expect(() => createAICacheService(options as object)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining(named) }))
  })

  it('refuses a bad environment by the name of the variable', () => {
    vi.stubEnv('AI_CACHE_EXPIRY_MINUTES', 'soon')
    expect(() => createAICacheService()).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ENV', message: expect.stringContaining('AI_CACHE_EXPIRY_MINUTES') }))
  })

  it('maintains itself every five minutes', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'] })
    const info = vi.fn()
    const ai = createAICacheService({ redis: false, logger: { info } })
    vi.advanceTimersByTime(15 * MINUTE)
    expect(info).toHaveBeenCalledTimes(3)
    void ai.close()
    vi.advanceTimersByTime(15 * MINUTE)
    expect(info).toHaveBeenCalledTimes(3)
  })

  it('that is disabled has nothing to maintain', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const info = vi.fn()
    createAICacheService({ enabled: false, logger: { info } })
    vi.advanceTimersByTime(15 * MINUTE)
    expect(info).not.toHaveBeenCalled()
  })
})
