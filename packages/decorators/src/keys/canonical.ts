import { types } from 'node:util'
import { fieldName } from './field-name.js'
import { NoIdentity } from './no-identity.js'
import { canonicalString } from './text.js'

/**
 * The canonical form of a value: two values have the same one when they are deeply and strictly equal, as `isDeepStrictEqual` of Node has it.
 * It does without braces and double quotes, which would be escaped in the names that redis-cli shows.
 *
 * | value | form |
 * |---|---|
 * | `'it''s'` | `'it''s'`, and `u16'…'` in hexadecimal when it is not well-formed |
 * | `1`, `-0`, `NaN`, `1n`, `true`, `null`, `undefined` | the same |
 * | `{ b: 1, a: [2] }` | `(a:[2],b:1)` |
 * | Date, Map, Set, RegExp | `Date(2026-01-01T00:00:00.000Z)`, `Map('a'=>1)`, `Set(1,2)`, `/x/g` |
 * | typed arrays, Buffer, ArrayBuffer | `Uint8Array(AQI=)` |
 * | what has `toCacheKey()`, or `toJSON()` | `new Money('12.50')` |
 *
 * @throws NoIdentity for a value that nothing is equal to but itself.
 */
export function canonical(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value)
    case 'number':
      return value === 0 && 1 / value < 0 ? '-0' : String(value)
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'symbol':
      return canonicalSymbol(value)
    case 'function':
      throw new NoIdentity('a function')
    default:
      return value === null ? 'null' : canonicalObject(value as object, depth)
  }
}

/** The canonical forms of a list of values. */
export function canonicalList(values: readonly unknown[], depth = 0): string {
  let text = ''
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ','
    // A hole is not `undefined` to those who look.
    text += i in values ? canonical(values[i], depth) : 'empty'
  }
  return text
}

/** A cycle is deeper than any limit. */
const DEEPEST = 64

function canonicalObject(value: object, depth: number): string {
  if (depth >= DEEPEST) throw new NoIdentity(`something nested more than ${DEEPEST} levels deep, or containing itself`)
  if (Array.isArray(value)) return `[${canonicalList(value, depth + 1)}]`
  const prototype: unknown = Object.getPrototypeOf(value)
  // By its place and not its identity: workers, test runners and `vm` have an Object.prototype of their own.
  if (prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null) return `(${fields(value as Fields, depth + 1)})`
  return builtIn(value, depth + 1) ?? instance(value, depth + 1)
}

type Fields = Readonly<Record<string | symbol, unknown>>

function fields(value: Fields, depth: number): string {
  const names = Object.keys(value)
  sort(names)
  let text = ''
  for (const name of names) text += `${text === '' ? '' : ','}${fieldName(name)}:${canonical(value[name], depth)}`
  const symbols = Object.getOwnPropertySymbols(value)
  return symbols.length === 0 ? text : [...(text === '' ? [] : [text]), ...symbolFields(value, symbols, depth)].join(',')
}

function symbolFields(value: Fields, symbols: readonly symbol[], depth: number): string[] {
  const enumerable = symbols.filter((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol))
  return enumerable.map((symbol) => `${canonicalSymbol(symbol)}:${canonical(value[symbol], depth)}`).toSorted()
}

/** By insertion: nearly all lists are short, and in order. */
function sort(names: string[]): void {
  if (names.length > 32) {
    names.sort()
    return
  }
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string
    let place = i
    for (; place > 0 && (names[place - 1] as string) > name; place--) names[place] = names[place - 1] as string
    names[place] = name
  }
}

function canonicalSymbol(symbol: symbol): string {
  const key = Symbol.keyFor(symbol)
  if (key === undefined) throw new NoIdentity('a symbol (only those of Symbol.for mean the same everywhere)')
  return `Symbol.for(${canonicalString(key)})`
}

function builtIn(value: object, depth: number): string | undefined {
  if (types.isDate(value)) return `Date(${Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString()})`
  if (types.isMap(value)) return `Map(${Array.from(value, ([key, item]) => `${canonical(key, depth)}=>${canonical(item, depth)}`).toSorted().join(',')})`
  if (types.isSet(value)) return `Set(${Array.from(value, (item) => canonical(item, depth)).toSorted().join(',')})`
  if (types.isRegExp(value)) return `/${value.source}/${value.flags}`
  if (ArrayBuffer.isView(value)) return `${nameOfBytes(value)}(${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')})`
  if (types.isAnyArrayBuffer(value)) return `${nameOfBytes(value)}(${Buffer.from(value).toString('base64')})`
  return undefined
}

function nameOfBytes(value: object): string {
  return Buffer.isBuffer(value) ? 'Buffer' : Object.prototype.toString.call(value).slice('[object '.length, -1)
}

/** An instance of a class says itself what it is: fields that can be seen are not all it may have. */
function instance(value: object, depth: number): string {
  const { toCacheKey, toJSON, constructor } = value as { toCacheKey?: unknown; toJSON?: unknown; constructor?: { readonly name?: unknown } }
  const name = String(constructor?.name ?? '')
  if (typeof toCacheKey === 'function') return `new ${name}(${canonical(toCacheKey.call(value), depth)})`
  if (typeof toJSON === 'function') return `new ${name}(${canonical(toJSON.call(value), depth)})`
  throw new NoIdentity(`an instance of ${name === '' ? 'a class' : name}, which has no toCacheKey() to say what it is`)
}
