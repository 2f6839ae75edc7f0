import { createHash } from 'node:crypto'
import { types } from 'node:util'
import { InvalidArgumentError } from '@tiercel/core'
import { ToolCallPosition } from './tool-call-ids.js'

const MAX_DEPTH = 200
/** More is no model's. Both bound what an object costs that names its parts many times over. */
const MAX_LENGTH = 64 * 1024 * 1024
const MAX_VALUES = 4_000_000

/** Begins what JSON does not have; and texts that begin so are marked in their turn, so that no text passes for anything else. */
const MARK = '\0'

/**
 * One text for all requests that mean the same, and for no others: JSON with its fields in order, and marked texts for what JSON does not tell apart (`-0`, `NaN`, `1n`, bytes,
 * positions of tool calls). Fields that are `undefined` are left out; dates and URLs are the text they are sent as; bytes are their hash.
 *
 * It is `JSON.stringify` that makes the text, in one go, which is several times faster than anything that is put together here.
 *
 * @throws {InvalidArgumentError} for what has no identity: functions, symbols, class instances without `toJSON`, cycles, endless depth.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(new Ordering().of(value, MAX_DEPTH))
}

class Ordering {
  #length = 0
  #values = 0

  /** The same as JSON with its fields in order. What is that already is given as it is. */
  of(value: unknown, depth: number): unknown {
    if (++this.#values > MAX_VALUES || this.#length > MAX_LENGTH) throw new InvalidArgumentError('A request of more than 64 Mi characters is not cached')
    switch (typeof value) {
      case 'string':
        this.#length += value.length
        return value.startsWith(MARK) ? `${MARK}text ${value}` : value
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? value : `${MARK}number ${Object.is(value, -0) ? '-0' : value}`
      case 'boolean':
        return value
      case 'undefined':
        return `${MARK}undefined`
      case 'bigint':
        return `${MARK}bigint ${value}`
      case 'object':
        return value === null ? null : this.#ofObject(value, depth - 1)
      default:
        throw new InvalidArgumentError(`A request with a ${typeof value} in it has no identity`)
    }
  }

  #ofObject(value: object, depth: number): unknown {
    // A cycle is endlessly deep.
    if (depth <= 0) throw new InvalidArgumentError(`A request that contains itself, or is nested more than ${MAX_DEPTH} levels deep, has no identity`)
    if (Array.isArray(value)) return this.#ofArray(value, depth)
    const prototype: unknown = Object.getPrototypeOf(value)
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON !== 'function') {
      // Plain in any realm: nothing else inherits from what inherits from nothing.
      if (prototype === null || Object.getPrototypeOf(prototype) === null) return this.#ofFields(value as Readonly<Record<string, unknown>>, depth)
      if (value instanceof ToolCallPosition) return `${MARK}call ${value.position}`
      if (ArrayBuffer.isView(value)) return hashOf(value)
      if (types.isAnyArrayBuffer(value)) return hashOf(new Uint8Array(value))
      throw new InvalidArgumentError('A request with an instance of a class in it that JSON does not show has no identity')
    }
    // A Buffer shows its bytes as a list of numbers.
    if (ArrayBuffer.isView(value)) return hashOf(value)
    const shown: unknown = Reflect.apply(toJSON, value, [''])
    if (types.isDate(value) && shown === null) throw new InvalidArgumentError('A request with an invalid date in it has no identity')
    return this.of(shown, depth)
  }

  #ofFields(fields: Readonly<Record<string, unknown>>, depth: number): unknown {
    const names = Object.keys(fields)
    let copy = isSorted(names) ? undefined : {}
    if (copy !== undefined) names.sort()
    for (let i = 0; i < names.length; i++) {
      const name = names[i] ?? ''
      this.#length += name.length
      const field = fields[name]
      const ordered = field === undefined ? undefined : this.of(field, depth)
      if (copy === undefined) {
        // JSON leaves out what is undefined.
        if (ordered === field) continue
        copy = Object.fromEntries(names.slice(0, i).map((before) => [before, fields[before]]))
      }
      // Set, it would be the prototype and not a field.
      if (name === '__proto__') Object.defineProperty(copy, name, { value: ordered, enumerable: true })
      else (copy as Record<string, unknown>)[name] = ordered
    }
    return copy ?? fields
  }

  #ofArray(items: readonly unknown[], depth: number): unknown {
    let copy: unknown[] | undefined
    for (let i = 0; i < items.length; i++) {
      const ordered = this.of(items[i], depth)
      if (copy === undefined && ordered !== items[i]) copy = items.slice(0, i)
      copy?.push(ordered)
    }
    return copy ?? items
  }
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] ?? '') > (names[i] ?? '')) return false
  return true
}

function hashOf(view: ArrayBufferView): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  // Whether floats or bytes is a difference, whether a Buffer or another Uint8Array is none.
  const kind = types.isUint8Array(view) ? 'bytes' : Object.prototype.toString.call(view).slice(8, -1)
  return `${MARK}${kind} ${createHash('sha256').update(bytes).digest('base64url')}`
}
