import { expect, it } from 'vitest'
import { describeCaches } from './harness.js'

const cause = new TypeError('the cause')

const kept: Record<string, unknown> = {
  true: true,
  'an integer': 2 ** 53 - 1,
  'minus zero': -0,
  NaN: Number.NaN,
  Infinity,
  'a bigint': 12_345_678_901_234_567_890n,
  'an empty string': '',
  'a string with NUL and an emoji': 'a\0🦅',
  'a string with a lone surrogate': 'a\uD800b',
  'a nested object': { a: [{ b: { c: null } }], d: [[], {}] },
  'undefined fields': { a: undefined, b: [undefined, 1] },
  'a date': new Date(1_700_000_000_000),
  'a date that is none': new Date(Number.NaN),
  'a map of maps': new Map<unknown, unknown>([['a', new Map([[1, new Set(['x'])]])], [{ key: 1 }, 2]]),
  'a set': new Set([1, 'two', { three: 3 }]),
  'a URL': new URL('https://example.com/path?query=1#hash'),
  'a regular expression': /a[b-c]+/giu,
  'an error': Object.assign(new Error('failed', { cause }), { status: 503 }),
  'a typed array': new Float64Array([1.5, -0, Number.NaN]),
  'a buffer': Buffer.from('bytes'),
  'the same object twice': (() => {
    const shared = { id: 1 }
    return { first: shared, second: shared }
  })(),
  'an object without a prototype': Object.assign(Object.create(null) as object, { a: 1 }),
}

describeCaches('values that are kept', ({ make }) => {
  it.each(Object.entries(kept))('come back as they were: %s', async (_, value) => {
    const cache = make()
    expect(await cache.set('set', value)).toBe(true)
    expect(await cache.get('set')).toEqual(value)
    expect(await cache.getOrSet('loaded', () => value)).toEqual(value)
    expect(await cache.get('loaded')).toEqual(value)
    expect(cache.stats().uncacheable).toBe(0)
  })
})
