import { expect, it } from 'vitest'
import { createCache, type Cache, type CacheOptions, type CallOptions } from '../../src/index.js'
import { describeCaches } from './harness.js'

const refused = { name: 'InvalidOptionError', code: 'TIERCEL_INVALID_OPTION' }

const badEntryOptions: readonly (readonly [string, object, naming: string])[] = [
  ['an option that does not exist', { tll: '5m' }, "'tll'"],
  ['a negative ttl', { ttl: -1 }, 'ttl'],
  ['a negative ttl with a unit', { ttl: '-5s' }, 'ttl'],
  ['a ttl that is no number', { ttl: Number.NaN }, 'ttl'],
  ['an endless ttl', { ttl: Infinity }, "'3650d'"],
  ['a ttl of more than ten years', { ttl: '3651d' }, 'ttl'],
  ['a ttl without a unit', { ttl: '5' }, 'ttl'],
  ['a ttl with a unit that does not exist', { ttl: '5y' }, 'ttl'],
  ['a ttl with spaces', { ttl: '5 m' }, 'ttl'],
  ['an empty ttl', { ttl: '' }, 'ttl'],
  ['a ttl of null', { ttl: null }, 'ttl'],
  ['a ttl that is an object', { ttl: {} }, 'ttl'],
  ['a ttl that is a bigint', { ttl: 5n }, 'ttl'],
  ['a negative grace', { grace: -1 }, 'grace'],
  ['a grace that is true', { grace: true }, 'grace'],
  ['a negative graceRetry', { graceRetry: '-1s' }, 'graceRetry'],
  ['a softTimeout without grace', { softTimeout: 100 }, 'softTimeout needs grace'],
  ['a softTimeout that is not shorter than hardTimeout', { grace: '1m', softTimeout: 100, hardTimeout: 100 }, 'softTimeout'],
  ['a softTimeout that a timer cannot count', { grace: '1m', softTimeout: '25d' }, 'softTimeout'],
  ['a negative hardTimeout', { hardTimeout: -1 }, 'hardTimeout'],
  ['a hardTimeout that a timer cannot count', { hardTimeout: 2 ** 31 }, "'24d'"],
  ['a refresh of 1', { refresh: 1 }, 'refresh'],
  ['a negative refresh', { refresh: -0.1 }, 'refresh'],
  ['a refresh that is a duration', { refresh: '1m' }, 'refresh'],
  ['a refresh that is no number', { refresh: Number.NaN }, 'refresh'],
  ['a grace shorter than the refresh window', { ttl: '10s', refresh: 0.5, grace: '4s' }, 'grace'],
  ['a jitter of 1', { jitter: 1 }, 'jitter'],
  ['a negative jitter', { jitter: -0.1 }, 'jitter'],
  ['a jitter that is no duration', { jitter: '10%' }, 'jitter'],
  ['a jitter that is true', { jitter: true }, 'jitter'],
  ['a cacheNull that is no boolean', { cacheNull: 1 }, 'cacheNull'],
  ['an onError that is no function', { onError: 'log' }, 'onError'],
]

const badCallOptions: readonly (readonly [string, object, naming: string])[] = [
  ['a bypass that does not exist', { bypass: 'all' }, 'bypass'],
  ['a bypass that is true', { bypass: true }, 'bypass'],
  ['a memory that is no boolean', { memory: 'no' }, 'memory'],
  ['a memory of null', { memory: null }, 'memory'],
  ['a redis that is no boolean', { redis: 0 }, 'redis'],
  ['a signal that is none', { signal: {} }, 'signal'],
  ['an option of createCache', { clone: true }, "'clone'"],
]

const badCacheOptions: readonly (readonly [string, object, naming: string])[] = [
  ['an option of a call', { tags: ['t'] }, "'tags'"],
  ['a memory that is false', { memory: false }, 'memory'],
  ['a memory of null', { memory: null }, 'memory'],
  ['a bound that does not exist', { memory: { max: 5 } }, "'max'"],
  ['no entries', { memory: { maxEntries: 0 } }, 'memory.maxEntries'],
  ['half an entry', { memory: { maxEntries: 1.5 } }, 'memory.maxEntries'],
  ['endless entries', { memory: { maxEntries: Infinity } }, 'memory.maxEntries'],
  ['more entries than an LRU can index', { memory: { maxEntries: 2 ** 24 } }, 'memory.maxEntries'],
  ['no bytes', { memory: { maxBytes: 0 } }, 'memory.maxBytes'],
  ['negative bytes', { memory: { maxBytes: -1 } }, 'memory.maxBytes'],
  ['bytes with a unit', { memory: { maxBytes: '32MB' } }, 'memory.maxBytes'],
  ['values of no bytes', { maxValueBytes: 0 }, 'maxValueBytes'],
  ['values of more than a gigabyte', { maxValueBytes: 2 ** 30 + 1 }, 'maxValueBytes'],
  ['a clone that is no boolean', { clone: 'deep' }, 'clone'],
  ['a logger without warn', { logger: { error: () => {} } }, 'logger'],
  ['a logger that is a function', { logger: () => {} }, 'logger'],
  ['a logger of null', { logger: null }, 'logger'],
]

const calls: Record<string, (cache: Cache, options: CallOptions) => Promise<unknown>> = {
  get: (cache, options) => cache.get('k', options),
  getMany: (cache, options) => cache.getMany(['k'], options),
  getOrSet: (cache, options) => cache.getOrSet('k', () => 1, options),
  getOrSetMany: (cache, options) => cache.getOrSetMany(['k'], () => [['k', 1]], options),
  set: (cache, options) => cache.set('k', 1, options),
  setMany: (cache, options) => cache.setMany([['k', 1]], options),
}

describeCaches('bad options of a call', ({ make }) => {
  it.each([...badEntryOptions, ...badCallOptions])('are refused by every method that takes them: %s', async (_, options, naming) => {
    const cache = make()
    for (const [method, call] of Object.entries(calls)) {
      await expect(call(cache, options), method).rejects.toMatchObject({ ...refused, message: expect.stringContaining(naming) })
    }
    expect(await cache.get('k')).toBeUndefined()
  })

  it.each([5, 'ttl', true])('are refused when they are no object: %s', async (options) => {
    const cache = make()
    for (const [method, call] of Object.entries(calls)) {
      await expect(call(cache, options as unknown as CallOptions), method).rejects.toMatchObject(refused)
    }
  })

  it('are refused when they are null', async () => {
    const cache = make()
    for (const method of ['get', 'getMany', 'set', 'setMany'] as const) {
      await expect(calls[method]?.(cache, null as unknown as CallOptions), method).rejects.toMatchObject(refused)
    }
  })

  // Options of null are asked for their fields before they are looked at: it throws a TypeError, and does not even reject.
  it('are refused by getOrSet when they are null', async () => {
    const cache = make()
    await expect(cache.getOrSet('k', () => 1, null as unknown as CallOptions)).rejects.toMatchObject(refused)
  })

  it('contradict each other also where one is inherited', async () => {
    const cache = make({ ttl: '10s', grace: '10s', refresh: 0.8, softTimeout: '1s', hardTimeout: '5s' })
    await expect(cache.set('k', 1, { grace: '1s' })).rejects.toMatchObject(refused)
    await expect(cache.set('k', 1, { hardTimeout: '1s' })).rejects.toMatchObject(refused)
    await expect(cache.set('k', 1, { softTimeout: '5s' })).rejects.toMatchObject(refused)
    expect(await cache.set('k', 1, { grace: 0 })).toBe(true)
    // A call that only has a longer TTL gave neither of the two that do not fit it.
    expect(await cache.set('k', 1, { ttl: '1h' })).toBe(true)
    // Without grace there is no soft timeout either, so that a shorter hard one contradicts nothing.
    expect(await cache.set('k', 1, { grace: 0, hardTimeout: '1s' })).toBe(true)
    expect(await cache.set('k', 1, { grace: 0, ttl: '1h' })).toBe(true)
  })

  it('may be undefined one by one: that is as if they were not there', async () => {
    const cache = make({ ttl: '10s' })
    const none = Object.fromEntries(
      ['ttl', 'grace', 'graceRetry', 'softTimeout', 'hardTimeout', 'refresh', 'jitter', 'cacheNull', 'onError', 'tags', 'room', 'bypass', 'memory', 'redis', 'signal'].map(
        (name) => [name, undefined],
      ),
    )
    expect(await cache.set('k', 1, none)).toBe(true)
    expect(await cache.ttl('k')).toBe(10_000)
    expect(await cache.getOrSet('k', () => 2, none)).toBe(1)
  })
})

describeCaches('bad options of a cache or a namespace', ({ make }) => {
  it.each([...badEntryOptions, ...badCacheOptions])('are refused by createCache: %s', (_, options, naming) => {
    expect(() => createCache(options)).toThrow(expect.objectContaining({ ...refused, message: expect.stringContaining(naming) }))
  })

  it.each(badEntryOptions)('are refused by namespace: %s', (_, options, naming) => {
    const cache = make()
    expect(() => cache.namespace('users', options)).toThrow(expect.objectContaining({ ...refused, message: expect.stringContaining(naming) }))
    // What was refused was not taken.
    expect(() => cache.namespace('users', { ttl: '1m' })).not.toThrow()
  })

  it.each([null, 5, 'redis://localhost', true])('are refused when they are no object: %s', (options) => {
    expect(() => createCache(options as unknown as CacheOptions)).toThrow(expect.objectContaining(refused))
  })

  it('do not put what was given into the message beyond twenty characters, nor names beyond forty', () => {
    const long = 'a-secret-that-is-long-enough-to-be-recognised-when-it-is-printed'
    for (const options of [{ ttl: long }, { [long]: 1 }]) {
      expect(() => createCache(options as CacheOptions)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(long) }))
    }
  })

  it('take over nothing that is changed in the object afterwards', async () => {
    const options: CacheOptions = { ttl: '10s' }
    const cache = make(options)
    options.ttl = '1h'
    await cache.set('k', 1)
    expect(await cache.ttl('k')).toBe(10_000)
  })
})
