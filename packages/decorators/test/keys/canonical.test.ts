import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import { anything, assert, property } from 'fast-check'
import { expect, it } from 'vitest'
import { canonical } from '../../src/keys/canonical.js'
import { remembered } from '../../src/keys/field-name.js'

class Money {
  readonly #cents: number
  constructor(cents: number) {
    this.#cents = cents
  }
  toCacheKey() {
    return this.#cents
  }
}
class Id {
  constructor(readonly hex: string) {}
  toJSON() {
    return this.hex
  }
}

const different: unknown[] = [
  1, '1', 1n, [1], ['1'], { a: 1 }, { a: '1' }, [[1]], true, 'true', null, 'null', undefined, 'undefined', 0, -0, Number.NaN, 'NaN', Infinity, -Infinity, '', [], {}, [''],
  [undefined], Array(1), [null], { a: undefined }, { a: null }, 'a', "a'", "a''", "'a'", 'a,b', "a','b", ['a', 'b'], ['a,b'], [['a'], 'b'], { 'a:1,b': 2 }, { a: 1, b: 2 },
  new Date(0), new Date(1), new Date(Number.NaN), '1970-01-01T00:00:00.000Z', 'Date(1970-01-01T00:00:00.000Z)', new Map(), new Map([['a', 1]]), new Map([['a', '1']]), new Set(), new Set(['a']), new Set([['a']]),
  new Map([['a', undefined]]), /a/, /a/g, '/a/', new Uint8Array([1, 2]), new Uint8Array([1]), new Int8Array([1, 2]), new Uint16Array([1]), Buffer.from([1, 2]), new Uint8Array([1, 2]).buffer, new DataView(new Uint8Array([1, 2]).buffer),
  new Money(1), new Money(2), new Id('1'), new Id('2'), new URL('http://a/'), 'http://a/', Symbol.for('a'), { [Symbol.for('a')]: 1 }, { [Symbol.for('b')]: 1 }, { [Symbol.for('a')]: 1, a: 1 },
  '\uD800', '\uD801', '\uFFFD', "u16'00d8'", { a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }, { 'a b': 1 }, { "it's": 1 }, { __proto__: null, b: 1 }, JSON.parse('{"__proto__":1}'),
]

it('distinguishes whatever is different', () => {
  const forms = different.map((value) => canonical(value))
  const twice = forms.flatMap((form, i) => (forms.indexOf(form) === i ? [] : [[form, different[forms.indexOf(form)], different[i]]]))
  expect(twice).toEqual([])
})

it.each<[unknown, unknown]>([
  [{ a: 1, b: { d: 1, c: 2 } }, { b: { c: 2, d: 1 }, a: 1 }],
  [new Map<unknown, unknown>([['a', 1], ['b', { x: 1, y: 2 }]]), new Map<unknown, unknown>([['b', { y: 2, x: 1 }], ['a', 1]])],
  [new Set([1, 'a']), new Set(['a', 1])],
  [Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, i])), Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${49 - i}`, 49 - i]))],
  [{ a: 1 }, Object.assign(Object.create(null) as object, { a: 1 })],
  [{ a: [1, new Date(5)] }, runInNewContext('({ a: [1, new Date(5)] })')],
  [new Money(1), new Money(1)],
])('gives the same for what is equal: %o', (some, other) => {
  expect(canonical(some)).toBe(canonical(other))
})

it('gives two values the same form exactly if they are deeply and strictly equal', () => {
  const values = anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withNullPrototype: false, maxDepth: 3 })
  assert(
    property(values, values, (some, other) => {
      expect(canonical(some) === canonical(other)).toBe(isDeepStrictEqual(some, other))
      expect(canonical(structuredClone(some))).toBe(canonical(some))
    }),
    { numRuns: process.env.TIERCEL_PROOF === '1' ? 200_000 : 2000 },
  )
}, 600_000)

it.each<[unknown, string]>([
  ['42', "'42'"],
  ["it's", "'it''s'"],
  [{ sort: 'name', page: 1 }, "(page:1,sort:'name')"],
  [{ 'a b': [1n, null] }, "('a b':[1n,null])"],
  [new Date(0), 'Date(1970-01-01T00:00:00.000Z)'],
  [new Map([['a', 1]]), "Map('a'=>1)"],
  [new Set([2, 1]), 'Set(1,2)'],
  [Buffer.from([1, 2]), 'Buffer(AQI=)'],
  [new Money(1250), 'new Money(1250)'],
  [new Id('a1'), "new Id('a1')"],
])('writes %o as one reads it', (value, form) => {
  expect(canonical(value)).toBe(form)
})

it('writes nothing that redis-cli or the names in Redis would escape', () => {
  expect(canonical([different.filter((value) => typeof value !== 'string')])).not.toMatch(/[{}%"\\]/)
})

const cycle: { self?: unknown } = {}
cycle.self = cycle
class Account {
  label = 'x'
}

it.each<[string, unknown]>([
  ['a function', () => 1],
  ['a symbol', Symbol('a')],
  ['a symbol', { [Symbol('a')]: 1 }],
  ['an instance of Account', new Account()],
  ['an instance of Promise', Promise.resolve()],
  ['an instance of WeakMap', new WeakMap()],
  ['an instance of AbortSignal', new AbortController().signal],
  ['an instance of Error', new Error('a')],
  ['an instance of Number', Object(1)],
  ['containing itself', cycle],
  ['a function', { deep: [{ in: new Map([['a', () => 1]]) }] }],
])('refuses what nothing is equal to but itself: %s', (what, value) => {
  expect(() => canonical(value)).toThrow(what)
})

it('remembers no more names of fields than a program has', () => {
  for (let i = 0; i < 5000; i++) expect(canonical({ [`made up ${i}`]: 1 })).toBe(`('made up ${i}':1)`)
  expect(remembered.size).toBe(1000)
})
