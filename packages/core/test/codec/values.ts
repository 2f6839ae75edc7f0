import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { runInNewContext } from 'node:vm'

/** An instance whose fields are all that is kept of it. */
export class Trip {
  #seats = 4
  constructor(
    readonly id: string,
    readonly at: Date,
  ) {}

  get seats(): number {
    return this.#seats
  }
}

class Money {
  constructor(private readonly cents: number) {}
  toJSON(): string {
    return `${this.cents} cents`
  }
}

class Self {
  readonly kept = 'yes'
  toJSON(): this {
    return this
  }
}

const shared = { at: new Date(5) }
const sharedBytes = [new Uint8Array([1]), new Uint8Array([2])]

const nullPrototype = Object.assign(Object.create(null), { a: 1 })
const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false })

/** What comes back exactly, by its form. */
export const exact: ReadonlyArray<[name: string, value: unknown, form: 'json' | 'rich']> = [
  ['null', null, 'json'],
  ['true', true, 'json'],
  ['zero', 0, 'json'],
  ['a large number', 1.7976931348623157e308, 'json'],
  ['an empty string', '', 'json'],
  ['text beyond ASCII', 'Zürich 東京 🚲', 'json'],
  ['a long text beyond ASCII', '東京'.repeat(1000), 'json'],
  ['a lone surrogate', 'a\ud800b', 'json'],
  ['a lone surrogate in a field name', { '\udfff': 1 }, 'json'],
  ['text that begins with a control character', '\u0001{"json":1}', 'json'],
  ['an empty object', {}, 'json'],
  ['an empty array', [], 'json'],
  ['nested plain data', { a: [1, [2, { b: null }]], '': false, 'x.y\\z': 'w' }, 'json'],
  ['a field named __proto__', JSON.parse('{"__proto__": {"admin": true}, "a": 1}'), 'json'],
  ['fields named constructor and prototype', { constructor: 1, prototype: { constructor: 'x' } }, 'json'],
  ['a shared part', { a: [1], b: [shared.at.getTime()] }, 'json'],
  ['undefined', undefined, 'rich'],
  ['undefined fields and elements', { a: undefined, b: [undefined, 1] }, 'rich'],
  ['NaN', [NaN], 'rich'],
  ['infinities', [Infinity, -Infinity], 'rich'],
  ['-0', [-0], 'rich'],
  ['a Date', new Date(1_700_000_000_000), 'rich'],
  ['an invalid Date', { at: new Date(NaN) }, 'rich'],
  ['a Map of Maps', new Map<unknown, unknown>([['a', new Map([[1, 'x']])], [{ k: 1 }, undefined], ['__proto__', 1]]), 'rich'],
  ['a Set of objects', new Set([{ a: 1 }, { a: 2 }, [new Date(3)]]), 'rich'],
  ['a Set of shared dates', { all: new Set([shared, shared.at, { b: shared }]), one: shared, two: [shared.at] }, 'rich'],
  ['a Set of shared bytes', { all: new Set(sharedBytes), one: sharedBytes[0], two: [sharedBytes[1]] }, 'rich'],
  ['BigInts', [0n, -5n, 12345678901234567890n, 12345678901234567890n], 'rich'],
  ['a URL', new URL('https://example.com/a?b=c#d'), 'rich'],
  ['regular expressions', [/a\/b/giu, new RegExp(''), new RegExp('\n')], 'rich'],
  [
    'an Error with cause and fields',
    Object.assign(new Error('no', { cause: new TypeError('deep') }), { code: 'E1', at: new Date(1) }),
    'rich',
  ],
  ['an Error with a name of its own', Object.assign(new Error('no'), { name: 'QuotaError' }), 'rich'],
  ['an AggregateError', new AggregateError([new RangeError('r'), 5], 'many'), 'rich'],
  ['a Buffer', Buffer.from([0, 255, 128]), 'rich'],
  ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer, 'rich'],
  ['a DataView', new DataView(new Uint8Array([9, 8]).buffer), 'rich'],
  ['a view of a part', new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2), 'rich'],
  ['numbers in typed arrays', [new Float64Array([NaN, -0, Infinity, 0.1]), new Float32Array([-0]), new Uint8ClampedArray([255])], 'rich'],
  ['BigInts in typed arrays', [new BigInt64Array([-1n]), new BigUint64Array([2n ** 64n - 1n])], 'rich'],
  ['dots and backslashes in field names', { 'a.b': { 'c\\d': new Date(0), 'e\\.f': new Date(1), '': new Date(2) } }, 'rich'],
]

/** What comes back as plain data: the value, and what is read. */
export const plainer: ReadonlyArray<[name: string, value: unknown, read: unknown]> = [
  ['an object without prototype', nullPrototype, { a: 1 }],
  ['a field that is not enumerable', hidden, { a: 1 }],
  ['a class instance', new Trip('t1', new Date(7)), { id: 't1', at: new Date(7) }],
  ['class instances with dates deep inside', [[new Trip('t1', new Date(7))]], [[{ id: 't1', at: new Date(7) }]]],
  ['an object with toJSON', { price: new Money(5) }, { price: '5 cents' }],
  ['a toJSON that is not enumerable', Object.defineProperty({ a: 1 }, 'toJSON', { value: () => [2] }), [2]],
  ['a hidden toJSON that gives a Date', Object.defineProperty({ a: 1 }, 'toJSON', { value: () => new Date(4) }), new Date(4)],
  ['an array with toJSON', Object.assign([1], { toJSON: () => 'one' }), 'one'],
  ['a toJSON that gives its own object', new Self(), { kept: 'yes' }],
  ['a toJSON that gives a Date', { at: { toJSON: () => new Date(3) } }, { at: new Date(3) }],
  ['a getter', { get a() { return 5 } }, { a: 5 }],
  ['a proxy', new Proxy({ a: [1] }, {}), { a: [1] }],
  ['an array with more than elements', Object.assign(['x', new Date(1)], { index: 0, constructor: 1 }), ['x', new Date(1)]],
  ['an array with more than elements, in JSON', 'xay'.match(/a/), ['a']],
  [
    'what was made in another realm',
    runInNewContext('({ at: new Date(5), map: new Map([[1, new Set([2n])]]), all: [/x/g, new Uint8Array([1])], a: { b: 1 } })'),
    { at: new Date(5), map: new Map([[1, new Set([2n])]]), all: [/x/g, new Uint8Array([1])], a: { b: 1 } },
  ],
  ['a Map of a class of its own', new (class Names extends Map<string, number> {})([['a', 1]]), new Map([['a', 1]])],
]

const circular: Record<string, unknown> = { name: 'a' }
circular['self'] = { circular }
const circularMap = new Map<unknown, unknown>()
circularMap.set('self', [circularMap])
const circularError = new Error('c')
circularError.cause = { circularError }

export function nested(levels: number, leaf: unknown = 1): unknown {
  let value = leaf
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { value }
  return value
}

function throwing(): never {
  throw new Error('hunter2')
}
const revoked = Proxy.revocable({}, {})
revoked.revoke()
const revokedArray = Proxy.revocable([], {})
revokedArray.revoke()

/** What is refused, each with the reason. Made anew for each test, since some of it is alive. */
export const refused: ReadonlyArray<[name: string, make: () => unknown, reason: string]> = [
  ['a function', () => () => 1, 'type'],
  ['a method', () => ({ a: 1, save() {} }), 'type'],
  ['a class', () => [Set], 'type'],
  ['a symbol', () => ({ a: Symbol('s') }), 'type'],
  ['a field named by a symbol', () => ({ a: [{ [Symbol('s')]: 1 }] }), 'type'],
  ['a promise', () => ({ a: Promise.resolve(1) }), 'type'],
  ['a thenable', () => Object.create({ ['then' as string]: () => 1 }), 'type'],
  ['a WeakMap', () => new WeakMap(), 'type'],
  ['a WeakSet', () => [new WeakSet()], 'type'],
  ['a WeakRef', () => new WeakRef({}), 'type'],
  ['a generator', () => (function* () { yield 1 })(), 'type'],
  ['an iterator', () => [1][Symbol.iterator](), 'type'],
  ['a Node.js stream', () => new PassThrough(), 'type'],
  ['a socket', () => ({ socket: new Socket() }), 'type'],
  ['an event emitter', () => new EventEmitter(), 'type'],
  ['a web stream', () => new ReadableStream(), 'type'],
  ['Headers', () => new Headers({ a: 'b' }), 'type'],
  ['a Response', () => new Response('x'), 'type'],
  ['URLSearchParams', () => new URLSearchParams('a=1'), 'type'],
  ['a Blob', () => new Blob(['x']), 'type'],
  ['an AbortSignal', () => new AbortController().signal, 'type'],
  ['shared memory', () => new SharedArrayBuffer(4), 'type'],
  ['a boxed number', () => new Number(5), 'type'],
  ['a boxed string', () => ({ a: new String('x') }), 'type'],
  ['a boxed BigInt', () => Object(5n), 'type'],
  ['a sparse array', () => Object.assign(Array.from({ length: 0 }), { 2: 3 }), 'type'],
  ['an error with a function as a field', () => Object.assign(new Error('x'), { retry() {} }), 'type'],
  ['a Date next to __proto__', () => JSON.parse('{"__proto__": 1}', (_, v) => (v === 1 ? new Date(0) : v)), 'type'],
  ['a Date next to constructor', () => [new Date(0), { constructor: 1 }], 'type'],
  ['a Map in prototype', () => ({ prototype: new Map() }), 'type'],
  ['a cycle', () => circular, 'circular'],
  ['a cycle through a Map', () => circularMap, 'circular'],
  ['a cycle through an error', () => circularError, 'circular'],
  ['a cycle next to much data', () => ({ text: 'x'.repeat(100_000), circular }), 'circular'],
  ['501 levels', () => nested(501), 'too-deep'],
  ['501 levels of rich values', () => nested(501, new Date(0)), 'too-deep'],
  ['100,000 levels', () => nested(100_000), 'too-deep'],
  ['endless toJSON', () => { const make = (): object => ({ toJSON: make }); return make() }, 'too-deep'],
  ['endless getters', () => { const make = (): object => ({ get next() { return make() } }); return make() }, 'too-deep'],
  ['17 MiB of text', () => 'x'.repeat(17 << 20), 'too-large'],
  ['9 million characters of two bytes', () => ({ a: '東'.repeat(9 << 20) }), 'too-large'],
  ['17 MiB of bytes', () => Buffer.alloc(17 << 20), 'too-large'],
  ['a huge empty array', () => Object.assign([], { length: 4_000_000_000 }), 'too-large'],
  ['a long field name', () => ({ ['x'.repeat(17 << 20)]: 1 }), 'too-large'],
  ['doublings of one shared part', () => { let v: unknown = [new Date(0)]; for (let i = 0; i < 40; i++) v = [v, v]; return v }, 'too-large'],
  ['a throwing getter', () => ({ get a() { return throwing() } }), 'unreadable'],
  ['a throwing toJSON', () => ({ a: [{ toJSON: throwing }] }), 'unreadable'],
  ['a throwing toStringTag', () => new (class { get [Symbol.toStringTag]() { return throwing() } })(), 'unreadable'],
  ['a proxy that refuses its keys', () => new Proxy({}, { ownKeys: throwing }), 'unreadable'],
  ['a proxy that refuses everything', () => new Proxy({}, new Proxy({}, { get: throwing })), 'unreadable'],
  ['a revoked proxy', () => [revoked.proxy], 'unreadable'],
  ['a revoked proxy of an array', () => [revokedArray.proxy], 'unreadable'],
]
