import { expect, it, vi } from 'vitest'
import type { Cache } from '../../src/index.js'
import { describeCaches } from './harness.js'

const megabyte = 'x'.repeat(2 ** 20)

const refusedKeys: readonly (readonly [string, unknown])[] = [
  ['an empty string', ''],
  ['a number', 5],
  ['NaN', Number.NaN],
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['a symbol', Symbol('k')],
  ['a bigint', 5n],
  ['an object', { toString: () => 'k' }],
  ['an array', ['k']],
  ['a String object', Object('k')],
  ['a function', () => 'k'],
  ['a lone high surrogate', 'a\uD83Db'],
  ['a lone low surrogate', '\uDC00'],
  ['65,537 characters', 'x'.repeat(65_537)],
  ['a megabyte', megabyte],
]

const withKey: Record<string, (cache: Cache, key: string) => Promise<unknown>> = {
  get: (cache, key) => cache.get(key),
  'get with options': (cache, key) => cache.get(key, { redis: false }),
  getMany: (cache, key) => cache.getMany(['good', key]),
  getOrSet: (cache, key) => cache.getOrSet(key, () => 1),
  'getOrSet with options': (cache, key) => cache.getOrSet(key, () => 1, { ttl: '1s', bypass: 'read' }),
  getOrSetMany: (cache, key) => cache.getOrSetMany(['good', key], (missing) => missing.map((each) => [each, 1])),
  set: (cache, key) => cache.set(key, 1),
  setMany: (cache, key) => cache.setMany([['good', 1], [key, 1]]),
  has: (cache, key) => cache.has(key),
  ttl: (cache, key) => cache.ttl(key),
  touch: (cache, key) => cache.touch(key),
  deleteMany: (cache, key) => cache.deleteMany(['good', key]),
  'invalidate keys': (cache, key) => cache.invalidate({ keys: [key] }),
  'expire keys': (cache, key) => cache.expire({ keys: [key] }),
  wrap: (cache, key) => cache.wrap(() => 1, { key: () => key })(),
}

describeCaches('bad keys', ({ make }) => {
  it.each(refusedKeys)('are refused by every method with a coded error: %s', async (_, key) => {
    const cache = make()
    for (const [method, call] of Object.entries(withKey)) {
      await expect(call(cache, key as string), method).rejects.toMatchObject({ name: 'InvalidKeyError', code: 'TIERCEL_INVALID_KEY' })
    }
    expect(cache.peek(key as string)).toBeUndefined()
  })

  it.each(refusedKeys.filter(([, key]) => key !== undefined && key !== null))('are refused by delete, expire and invalidate: %s', async (_, key) => {
    const cache = make()
    const refused = { code: 'TIERCEL_INVALID_KEY' }
    await expect(cache.delete(key as string)).rejects.toMatchObject(refused)
    await expect(cache.invalidate({ key: key as string })).rejects.toMatchObject(refused)
    await expect(cache.expire({ key: key as string })).rejects.toMatchObject(refused)
  })

  it.each([undefined, null])('are lost variables when delete is given %s', async (key) => {
    const cache = make()
    await expect(cache.delete(key as unknown as string)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TARGET' })
  })

  it('are refused before anything is loaded, stored or dropped', async () => {
    const cache = make()
    await cache.set('good', 'old')
    const load = vi.fn(() => [])
    await expect(cache.getOrSetMany(['other', ''], load)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    await expect(cache.setMany([['good', 'new'], ['', 1]])).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    await expect(cache.deleteMany(['good', ''])).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    expect(load).not.toHaveBeenCalled()
    expect(await cache.get('good')).toBe('old')
  })

  it('are not repeated in the message', async () => {
    const cache = make()
    for (const key of [`secret${megabyte}`, 'secret\uD800']) {
      await expect(cache.get(key)).rejects.toMatchObject({ message: expect.not.stringContaining('secret') })
    }
  })
})

describeCaches('odd keys that are fine', ({ make }) => {
  const odd = [
    ' ',
    '{',
    '}',
    '{a}',
    '{a}b{c}',
    '{}',
    '%7B',
    '%',
    'a\nb',
    'a\r\nb',
    '\t',
    '\0',
    '\0k',
    'k\0',
    '\u001B[31m',
    '\u2028',
    '🦅',
    'e\u0301',
    'é',
    '\uFFFD',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    'a:b:c',
    'a*',
    'a?',
    '[a]',
    '\\',
    'x'.repeat(201),
    'x'.repeat(65_536),
  ]

  it('each hold a value of their own', async () => {
    const cache = make()
    const pairs = odd.map((key, i) => [key, i] as const)
    expect(await cache.setMany(pairs)).toBe(odd.length)
    expect(await cache.getMany(odd)).toEqual(new Map(pairs))
    for (const [key, i] of pairs) {
      expect(await cache.get(key)).toBe(i)
      expect(await cache.getOrSet(key, () => -1)).toBe(i)
    }
  })

  it('are each deleted without touching another', async () => {
    const cache = make()
    await cache.setMany(odd.map((key) => [key, 1]))
    for (const [i, key] of odd.entries()) {
      expect(await cache.delete(key)).toEqual({ durable: true, count: 1 })
      expect((await cache.getMany(odd)).size).toBe(odd.length - i - 1)
    }
  })
})
