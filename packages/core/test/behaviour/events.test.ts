import { expect, it, vi } from 'vitest'
import type { CacheEventName } from '../../src/index.js'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'

const about = { namespace: 'tiercel', key: 'k' }

describeCaches('events', ({ make, pass }) => {
  it('tells of misses, loads, sets and hits, with the namespace and the key', async () => {
    const cache = make({ ttl: '10s' })
    const names = ['miss', 'load', 'set', 'hit'] as const
    const told: [CacheEventName, object][] = []
    for (const name of names) cache.on(name, (event) => void told.push([name, event]))
    const load = async () => {
      await pass(5)
      return 'v'
    }
    await cache.getOrSet('k', load)
    await cache.getOrSet('k', load)
    await cache.get('k')
    await cache.get('other')
    await cache.set('other', 1, { ttl: '1s' })
    expect(told).toEqual([
      ['miss', about],
      ['set', { ...about, ttlMs: 10_000 }],
      ['load', { ...about, durationMs: 5, stored: true, background: false }],
      ['hit', expect.objectContaining(about)],
      ['hit', expect.objectContaining(about)],
      ['miss', { ...about, key: 'other' }],
      ['set', { ...about, key: 'other', ttlMs: 1000 }],
    ])
  })

  it('tells of hits and misses of every key of a batch', async () => {
    const cache = make()
    const hits = heard(cache, 'hit')
    const misses = heard(cache, 'miss')
    await cache.set('a', 1)
    await cache.getOrSetMany(['a', 'b'], () => [['b', 2]])
    await cache.getMany(['a', 'b', 'c'])
    expect(hits.map(({ key }) => key)).toEqual(['a', 'a', 'b'])
    expect(misses.map(({ key }) => key)).toEqual(['b', 'c'])
  })

  it('tells what was invalidated, how, and by what', async () => {
    const cache = make()
    const events = heard(cache, 'invalidate')
    await cache.invalidate({ keys: ['a', 'b'], tag: 't', room: 'r', pattern: 'x*' })
    await cache.invalidate({ all: true })
    await cache.expire({ key: 'a' })
    await cache.delete('c')
    const of = (kind: string, target?: string, mode = 'invalidate') => ({ namespace: 'tiercel', kind, mode, ...(target && { target }) })
    expect(events).toEqual([
      of('key', 'a'),
      of('key', 'b'),
      of('tag', 't'),
      of('room', 'r'),
      of('pattern', 'x*'),
      of('all'),
      of('key', 'a', 'expire'),
      of('key', 'c'),
    ])
  })

  it('tells of a load whose value was not kept', async () => {
    const cache = make()
    const loads = heard(cache, 'load')
    await cache.getOrSet('skipped', (ctx) => ctx.skip('v'))
    await cache.getOrSet('undefined', () => undefined)
    await cache.getOrSet('bypassed', () => 'v', { bypass: 'write' })
    await cache.getOrSet('live', () => () => {})
    await cache.getOrSet('fenced', async () => {
      await cache.delete('fenced')
      return 'v'
    })
    expect(loads.map(({ key, stored }) => [key, stored])).toEqual(['skipped', 'undefined', 'bypassed', 'live', 'fenced'].map((key) => [key, false]))
  })

  it('does not tell of a load that failed: its caller was told', async () => {
    const cache = make()
    const loads = heard(cache, 'load')
    const errors = heard(cache, 'error')
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    await pass(0)
    expect([loads, errors]).toEqual([[], []])
  })

  it('tells that the cache was closed, once', async () => {
    const cache = make()
    const states = heard(cache, 'state')
    await cache.close()
    await cache.close()
    expect(states).toEqual([{ namespace: 'tiercel', status: 'disconnected', closed: true }])
  })

  it('ends with the function that on gives, or with off', async () => {
    const cache = make()
    const ended = vi.fn()
    const kept = vi.fn()
    const end = cache.on('set', ended)
    cache.on('set', kept)
    cache.on('miss', ended)
    end()
    end()
    await cache.set('k', 1)
    expect([ended.mock.calls.length, kept.mock.calls.length]).toEqual([0, 1])
    cache.off('set', kept)
    cache.off('set', () => {})
    await cache.set('k', 2)
    expect(kept).toHaveBeenCalledTimes(1)
    await cache.get('missing')
    expect(ended).toHaveBeenCalledTimes(1)
  })

  it('calls a listener that was added twice twice, and ends one of the two at a time', async () => {
    const cache = make()
    const listener = vi.fn()
    const end = cache.on('set', listener)
    cache.on('set', listener)
    await cache.set('k', 1)
    expect(listener).toHaveBeenCalledTimes(2)
    end()
    await cache.set('k', 2)
    expect(listener).toHaveBeenCalledTimes(3)
  })

  it('ends a listening of its own namespace only', async () => {
    const cache = make()
    const listener = vi.fn()
    cache.on('set', listener)
    cache.namespace('users').off('set', listener)
    await cache.namespace('users').set('k', 1)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('lets a listener end itself, or add another, while it is called', async () => {
    const cache = make()
    const later = vi.fn()
    const calls: string[] = []
    const end = cache.on('set', () => {
      calls.push('first')
      end()
      cache.on('set', later)
    })
    cache.on('set', () => void calls.push('second'))
    await cache.set('k', 1)
    await cache.set('k', 2)
    expect(calls).toEqual(['first', 'second', 'second'])
    expect(later).toHaveBeenCalledTimes(1)
  })

  it('reports what a listener throws or rejects with, and lets neither the call nor other listeners feel it', async () => {
    const cache = make()
    const errors = heard(cache, 'error')
    const other = vi.fn()
    const thrown = new Error('thrown')
    const rejected = new Error('rejected')
    cache.on('set', () => {
      throw thrown
    })
    cache.on('set', async () => {
      throw rejected
    })
    cache.on('set', other)
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
    await pass(0)
    expect(other).toHaveBeenCalledTimes(1)
    expect(errors).toEqual([thrown, rejected].map((error) => ({ namespace: 'tiercel', key: undefined, error, during: 'listener' })))
  })

  it('does not tell a listener of errors that throws of its own error', async () => {
    const logger = { warn: vi.fn(), error: vi.fn() }
    const cache = make({ logger })
    const listener = vi.fn(() => {
      throw new Error('again')
    })
    cache.on('error', listener)
    await cache.set('k', () => {})
    expect(listener).toHaveBeenCalledTimes(1)
    expect(logger.warn).toHaveBeenCalledTimes(2)
  })

  it('lets a listener call the cache', async () => {
    const cache = make()
    const ended: Promise<unknown>[] = []
    cache.on('set', ({ key }) => {
      if (key === 'k') ended.push(cache.delete('k'), cache.set('copy', 1))
    })
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
    await Promise.all(ended)
    expect(await cache.getMany(['k', 'copy'])).toEqual(new Map([['copy', 1]]))
  })

  it('refuses an event that does not exist and a listener that is no function', () => {
    const cache = make()
    const refused = expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' })
    for (const name of ['hits', '', 'constructor', 'emit', undefined]) {
      expect(() => cache.on(name as 'hit', () => {})).toThrow(refused)
    }
    expect(() => cache.on('hit', undefined as unknown as () => void)).toThrow(refused)
  })

  it('refuses an event that does not exist from off as well', () => {
    const cache = make()
    expect(() => cache.off('hits' as 'hit', () => {})).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
  })
})
