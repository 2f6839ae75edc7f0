import { createHash } from 'node:crypto'
import { types } from 'node:util'
import { InvalidArgumentError } from '@tiercel/core'
import { ToolCallPosition } from './tool-call-ids.js'

const MAX_DEPTH = 200
/** Longer requests are no model's. It bounds what an object costs that names its parts many times over. */
const MAX_LENGTH = 64 * 1024 * 1024

/**
 * One text for all requests that mean the same, and for no others: JSON with sorted fields, and words that are no JSON for what JSON does not tell apart (`-0`, `NaN`, `1n`,
 * bytes, positions of tool calls). Fields that are `undefined` are left out; dates and URLs are the text they are sent as; bytes are their hash.
 *
 * @throws {InvalidArgumentError} for what has no identity: functions, symbols, class instances without `toJSON`, cycles, endless depth.
 */
export function canonical(value: unknown): string {
  return textOf(value, MAX_DEPTH)
}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      // Also escapes lone surrogates, which UTF-8 would make all the same.
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : textOfObject(value, depth - 1)
    default:
      throw new InvalidArgumentError(`A request with a ${typeof value} in it has no identity`)
  }
}

function textOfObject(value: object, depth: number): string {
  // A cycle is endlessly deep.
  if (depth <= 0) throw new InvalidArgumentError(`A request that contains itself, or is nested more than ${MAX_DEPTH} levels deep, has no identity`)
  if (Array.isArray(value)) return textOfArray(value, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  // Plain in any realm: nothing else inherits from what inherits from nothing, and has no `toJSON`.
  if ((prototype === null || Object.getPrototypeOf(prototype) === null) && (value as { toJSON?: unknown }).toJSON === undefined) return textOfFields(value as Readonly<Record<string, unknown>>, depth)
  if (value instanceof ToolCallPosition) return `call(${value.position})`
  if (ArrayBuffer.isView(value)) return textOfBytes(value)
  if (types.isAnyArrayBuffer(value)) return textOfBytes(new Uint8Array(value))
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON !== 'function') throw new InvalidArgumentError('A request with an instance of a class in it that JSON does not show has no identity')
  const shown: unknown = Reflect.apply(toJSON, value, [''])
  if (types.isDate(value) && shown === null) throw new InvalidArgumentError('A request with an invalid date in it has no identity')
  return textOf(shown, depth)
}

function textOfFields(value: Readonly<Record<string, unknown>>, depth: number): string {
  const names = Object.keys(value)
  if (names.length > 1) names.sort()
  let text = '{'
  for (const name of names) {
    const field = value[name]
    if (field === undefined) continue
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${textOf(field, depth)}`
    checkLength(text)
  }
  return `${text}}`
}

function textOfArray(items: readonly unknown[], depth: number): string {
  let text = '['
  for (let i = 0; i < items.length; i++) {
    text += `${i > 0 ? ',' : ''}${textOf(items[i], depth)}`
    checkLength(text)
  }
  return `${text}]`
}

function checkLength(text: string): void {
  if (text.length > MAX_LENGTH) throw new InvalidArgumentError(`A request of more than ${MAX_LENGTH / 2 ** 20} Mi characters is not cached`)
}

function textOfBytes(view: ArrayBufferView): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  // Whether floats or bytes is a difference, whether a Buffer or another Uint8Array is none.
  const kind = types.isUint8Array(view) ? 'bytes' : Object.prototype.toString.call(view).slice(8, -1)
  return `${kind}(${createHash('sha256').update(bytes).digest('base64url')})`
}
