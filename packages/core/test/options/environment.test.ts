import { describe, expect, it } from 'vitest'
import { cacheOptionsFromEnv, createCache, TiercelError } from '../../src/index.js'

describe('cacheOptionsFromEnv', () => {
  it('gives a cache in memory with an hour of TTL when nothing is set', () => {
    expect(cacheOptionsFromEnv({})).toEqual({ redis: false, ttl: 3_600_000 })
  })

  it('gives options that createCache takes', async () => {
    const cache = createCache({ ...cacheOptionsFromEnv({ REDIS_TTL: '7200', REDIS_PREFIX: 'app:', SERVER_ID: 'web-1' }), grace: '10m' })
    await cache.set('k', 1)
    expect(await cache.ttl('k')).toBeGreaterThan(3_600_000)
    expect(await cache.ttl('k')).toBeLessThanOrEqual(7_200_000)
    await cache.close()
  })

  it.each([
    ['REDIS_URL', { REDIS_URL: 'redis://cache:6380/2' }, { redis: 'redis://cache:6380/2' }],
    ['REDIS_URL with TLS', { REDIS_URL: 'rediss://user:p%40ss@cache' }, { redis: 'rediss://user:p%40ss@cache' }],
    ['REDIS_URL before REDIS_HOST', { REDIS_URL: 'redis://one', REDIS_HOST: 'two' }, { redis: 'redis://one' }],
    ['REDIS_HOST alone', { REDIS_HOST: 'cache' }, { redis: { host: 'cache', port: 6379 } }],
    [
      'REDIS_HOST and what belongs to it',
      { REDIS_HOST: '10.0.0.1', REDIS_PORT: '6380', REDIS_PASSWORD: 'secret', REDIS_DB: '3' },
      { redis: { host: '10.0.0.1', port: 6380, password: 'secret', database: 3 } },
    ],
    ['REDIS_ENABLED without an address', { REDIS_ENABLED: 'true' }, { redis: { host: 'localhost', port: 6379 } }],
    ['REDIS_ENABLED off', { REDIS_ENABLED: 'false', REDIS_URL: 'redis://cache' }, { redis: false }],
    ['REDIS_ENABLED as 0', { REDIS_ENABLED: '0', REDIS_HOST: 'cache' }, { redis: false }],
    ['REDIS_KEY_PREFIX', { REDIS_KEY_PREFIX: 'app:' }, { prefix: 'app:' }],
    ['REDIS_PREFIX', { REDIS_PREFIX: 'app:' }, { prefix: 'app:' }],
    ['both prefixes when they agree', { REDIS_PREFIX: 'app:', REDIS_KEY_PREFIX: 'app:' }, { prefix: 'app:' }],
    ['REDIS_TTL in seconds', { REDIS_TTL: '60' }, { ttl: 60_000 }],
    ['REDIS_COMMAND_TIMEOUT in milliseconds', { REDIS_COMMAND_TIMEOUT: '100' }, { deadline: 100 }],
    ['REDIS_CONNECT_TIMEOUT in milliseconds', { REDIS_CONNECT_TIMEOUT: '2000' }, { connectTimeout: 2000 }],
    ['SERVER_ID', { SERVER_ID: 'web-1' }, { serverId: 'web-1' }],
    ['what is set to nothing as not set', { REDIS_URL: '', REDIS_PORT: '', REDIS_TTL: '', SERVER_ID: '' }, { redis: false, ttl: 3_600_000 }],
    ['numbers with spaces around them', { REDIS_TTL: ' 60 ' }, { ttl: 60_000 }],
  ])('reads %s', (_, env, options) => {
    expect(cacheOptionsFromEnv(env)).toMatchObject(options)
  })

  it.each([
    ['REDIS_ENABLED', 'maybe'],
    ['REDIS_URL', 'cache:6379'],
    ['REDIS_URL', 'http://cache'],
    ['REDIS_URL', 'redis://user:canary-4711@host:port'],
    ['REDIS_HOST', 'canary host'],
    ['REDIS_PORT', '0'],
    ['REDIS_PORT', '65536'],
    ['REDIS_PORT', '6379a'],
    ['REDIS_DB', '-1'],
    ['REDIS_KEY_PREFIX', 'app{1}'],
    ['REDIS_PREFIX', 'x'.repeat(65)],
    ['REDIS_TTL', '0'],
    ['REDIS_TTL', '1.5'],
    ['REDIS_TTL', '5m'],
    ['REDIS_MAX_RETRIES', 'many'],
    ['REDIS_RETRY_DELAY_ON_FAILURE', '-5'],
    ['REDIS_CONNECT_TIMEOUT', '0'],
    ['REDIS_COMMAND_TIMEOUT', '99999999999'],
    ['SERVER_ID', 'canary two'],
  ])('refuses a bad %s by name: %s', (name, value) => {
    let refusal: unknown
    try {
      cacheOptionsFromEnv({ [name]: value })
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({ code: 'TIERCEL_INVALID_ENV', message: expect.stringContaining(name) })
    expect(TiercelError.is(refusal) && `${refusal.stack}`.includes('canary')).toBe(false)
  })

  it.each(['redis://user:canary@host:port', 'canary host'])('shows no value in a refusal: %s', (value) => {
    let message = ''
    try {
      cacheOptionsFromEnv({ REDIS_URL: value })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain('REDIS_URL')
    expect(message).not.toContain('canary')
  })

  it('refuses bad values also of what is switched off, so that switching it on holds no surprise', () => {
    expect(() => cacheOptionsFromEnv({ REDIS_ENABLED: 'false', REDIS_PORT: 'x' })).toThrow(/REDIS_PORT/)
  })

  it('refuses two prefixes that differ', () => {
    expect(() => cacheOptionsFromEnv({ REDIS_KEY_PREFIX: 'a:', REDIS_PREFIX: 'b:' })).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ENV' }))
  })
})
