import { PassThrough } from 'node:stream'
import { expect, it, vi } from 'vitest'
import { UncacheableValueError, type UncacheableReason } from '../../src/index.js'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'

function nested(levels: number): object {
  let value: object = {}
  for (let i = 1; i < levels; i++) value = { value }
  return value
}

function circular(): object {
  const value: { self?: object; list: object[] } = { list: [] }
  value.self = value
  return value
}

function circularMap(): Map<string, unknown> {
  const map = new Map<string, unknown>()
  return map.set('self', map)
}

const sparse: unknown[] = []
sparse[3] = 'after three holes'

const bad: readonly (readonly [string, unknown, UncacheableReason])[] = [
  ['a function', () => 1, 'type'],
  ['a symbol', Symbol('s'), 'type'],
  ['a function inside', { a: [{ b: () => 1 }] }, 'type'],
  ['a field whose name is a symbol', { [Symbol('s')]: 1 }, 'type'],
  ['a promise inside', { later: Promise.resolve(1) }, 'type'],
  ['a weak map', new WeakMap(), 'type'],
  ['a stream', new PassThrough(), 'type'],
  ['a boxed string', Object('s'), 'type'],
  ['an array with holes', sparse, 'type'],
  ['a __proto__ field beside a date', Object.defineProperty({ at: new Date(0) }, '__proto__', { value: { admin: true }, enumerable: true }), 'type'],
  ['an object that contains itself', circular(), 'circular'],
  ['a map that contains itself', circularMap(), 'circular'],
  ['more than 500 levels', nested(501), 'too-deep'],
  ['a hundred thousand levels', nested(100_000), 'too-deep'],
  ['a value past maxValueBytes', 'x'.repeat(2 ** 20), 'too-large'],
  ['many small parts past maxValueBytes', Array.from({ length: 2 ** 17 }, (_, i) => ({ i })), 'too-large'],
  ['an array of a huge length', Array.from({ length: 2 ** 22 }), 'too-large'],
  [
    'a getter that throws',
    Object.defineProperty({}, 'trap', {
      enumerable: true,
      get() {
        throw new Error('no')
      },
    }),
    'unreadable',
  ],
  [
    'a toJSON that throws',
    {
      toJSON() {
        throw new Error('no')
      },
    },
    'unreadable',
  ],
  [
    'a proxy that throws',
    new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no')
        },
      },
    ),
    'unreadable',
  ],
]

const options = { maxValueBytes: 2 ** 20 }

describeCaches('values that cannot be kept', ({ make, pass }) => {
  it.each(bad)('are served, counted and not kept: %s', async (_, value, reason) => {
    const cache = make(options)
    const errors = heard(cache, 'error')
    const load = vi.fn(() => value)
    expect((await cache.getOrSet('k', load)) === value).toBe(true)
    expect((await cache.getOrSet('k', load)) === value).toBe(true)
    expect(load).toHaveBeenCalledTimes(2)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ uncacheable: 2, sets: 0, loads: { failed: 0 } })
    expect(errors).toHaveLength(2)
    expect(errors[0]).toMatchObject({ key: 'k', during: 'store', error: { code: 'TIERCEL_UNCACHEABLE', reason } })
    expect(errors[0]?.error).toBeInstanceOf(UncacheableValueError)
  })

  it.each(bad)('make set answer false and empty the key: %s', async (_, value) => {
    const cache = make(options)
    await cache.set('k', 'old')
    expect(await cache.set('k', value)).toBe(false)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats().uncacheable).toBe(1)
  })

  it.each(bad)('leave the other values of a batch alone: %s', async (_, value) => {
    const cache = make(options)
    const found = await cache.getOrSetMany(['bad', 'good'], () => [['bad', value], ['good', 1]])
    expect(found.get('bad') === value).toBe(true)
    expect(await cache.getMany(['bad', 'good'])).toEqual(new Map([['good', 1]]))
    expect(await cache.setMany([['bad', value], ['good', 2]])).toBe(1)
    expect(await cache.get('good')).toBe(2)
  })

  it('are told to onError, and not to the caller', async () => {
    const onError = vi.fn()
    const cache = make({ onError })
    await cache.set('k', () => {})
    await cache.getOrSet('k', () => () => {})
    const own = vi.fn()
    await cache.getOrSet('k', () => () => {}, { onError: own })
    expect(onError).toHaveBeenCalledTimes(2)
    expect(own.mock.calls).toEqual([[expect.objectContaining({ code: 'TIERCEL_UNCACHEABLE' }), { key: 'k' }]])
  })

  it('take the place of an older value, which does not come back as grace', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    await cache.getOrSet<unknown>('k', () => () => {})
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  })

  it('do not show their content in the message of the error', async () => {
    const cache = make(options)
    const errors = heard(cache, 'error')
    await cache.set('k', { password: 'hunter2', callback: () => {} })
    await cache.set('k', { password: 'hunter2'.repeat(2 ** 18) })
    expect(errors.map(({ error }) => String(error)).join()).not.toContain('hunter2')
  })

  it('do not change the prototype of anything', async () => {
    const cache = make()
    const value = JSON.parse('{ "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } } }') as object
    expect(await cache.set('k', value)).toBe(true)
    const read = (await cache.get('k')) as { polluted?: boolean }
    expect(read).toEqual(value)
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(read.polluted).toBeUndefined()
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
