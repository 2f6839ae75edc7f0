import { types } from 'node:util'
import { UncacheableValueError } from '../errors/index.js'
import { bytesKind } from './byte-kinds.js'
import { containerBytes, scalarBytes, slotBytes, stringBytes } from './footprint.js'
import { asUncacheable } from './failed-read.js'
import { KeptError } from './kept-error.js'

/** How large a value may be. */
export interface ValueLimits {
  /** Levels of objects within objects. */
  readonly maxDepth: number
  /** Heap bytes, as estimated. */
  readonly maxBytes: number
}

const entriesOfMap = Map.prototype.entries
const valuesOfSet = Set.prototype.values
const timeOfDate = Date.prototype.getTime
const tagOf = Object.prototype.toString
// Carried by themselves, being hidden fields as a rule, or not at all.
const hiddenFieldsOfErrors = new Set(['stack', 'cause', 'errors'])

/**
 * The walk for values that are not plain JSON: finds the reason to refuse one, or what it takes to keep it, and on request the copy that
 * is encoded in its place.
 *
 * superjson decides by `instanceof` and leaves what it does not know to `JSON.stringify`, which would lose the dates inside a class
 * instance, the symbols, the holes. So it only ever sees this copy: plain objects and arrays, and types it carries exactly. No object
 * is in the copy twice, because superjson restores shared references by position and gets that wrong inside a Set.
 *
 * Types are told by their internal slots (`util.types`), which work across realms and run no code of the value's.
 */
export class CarefulWalk {
  /** Whether something was met that JSON does not carry. */
  rich = false
  private reserved = false
  private left: number
  private readonly ancestors = new Set<object>()

  constructor(
    private readonly limits: ValueLimits,
    private readonly copying: boolean,
  ) {
    this.left = limits.maxBytes
  }

  /** The heap the value takes, once `run` has returned. */
  get bytes(): number {
    return this.limits.maxBytes - this.left
  }

  /** Gives the copy if one was asked for. Throws UncacheableValueError and nothing else. */
  run(value: unknown): unknown {
    try {
      const copy = this.visit(value)
      if (this.rich && this.reserved) {
        throw refused('a field named __proto__, constructor or prototype next to types JSON does not have')
      }
      return copy
    } catch (error) {
      throw asUncacheable(error)
    }
  }

  private visit(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        this.charge(stringBytes(value))
        return value
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0)) this.rich = true
        this.charge(scalarBytes)
        return value
      case 'boolean':
        this.charge(scalarBytes)
        return value
      case 'undefined':
        this.rich = true
        this.charge(scalarBytes)
        return value
      case 'bigint':
        this.rich = true
        this.charge(containerBytes + value.toString(16).length / 2)
        return value
      case 'object':
        return value === null ? this.visitNull() : this.visitObject(value)
      default:
        throw refused(`a ${typeof value}`)
    }
  }

  private visitNull(): null {
    this.charge(scalarBytes)
    return null
  }

  private visitObject(value: object): unknown {
    // Asked first: a cycle is also endlessly deep, and the cycle is what its owner can mend.
    if (this.ancestors.has(value)) throw new UncacheableValueError('circular', 'The value contains itself.')
    if (this.ancestors.size >= this.limits.maxDepth) {
      throw new UncacheableValueError('too-deep', `The value is nested more than ${this.limits.maxDepth} levels deep.`)
    }
    this.ancestors.add(value)
    const copy = this.visitKind(value)
    this.ancestors.delete(value)
    return copy
  }

  private visitKind(value: object): unknown {
    this.charge(containerBytes)
    const kept = this.visitBuiltIn(value)
    if (kept !== undefined) {
      this.rich = true
      return kept
    }
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function') {
      this.rich = true
      const shown: unknown = Reflect.apply(toJSON, value, [''])
      // A toJSON that returns its own object stands for that object's fields, as it does in JSON.
      if (shown !== value) return this.visit(shown)
    }
    return Array.isArray(value) ? this.visitArray(value) : this.visitFieldsOfObject(value)
  }

  private visitBuiltIn(value: object): object | undefined {
    if (types.isDate(value)) return new Date(timeOfDate.call(value))
    if (types.isMap(value)) return this.visitMap(value)
    if (types.isSet(value)) return this.visitSet(value)
    if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return this.visitBytes(value)
    if (types.isRegExp(value)) return this.visitRegExp(value)
    if (types.isNativeError(value) || value instanceof Error) return this.visitError(value)
    if (value instanceof URL) return this.visitUrl(value)
    return undefined
  }

  private visitMap(value: Map<unknown, unknown>): object {
    const copy = new Map<unknown, unknown>()
    for (const [key, item] of entriesOfMap.call(value) as IterableIterator<[unknown, unknown]>) {
      this.charge(2 * slotBytes)
      const keptKey = this.visit(key)
      const keptItem = this.visit(item)
      if (this.copying) copy.set(keptKey, keptItem)
    }
    return copy
  }

  private visitSet(value: Set<unknown>): object {
    const copy = new Set<unknown>()
    for (const item of valuesOfSet.call(value) as IterableIterator<unknown>) {
      this.charge(slotBytes)
      const kept = this.visit(item)
      if (this.copying) copy.add(kept)
    }
    return copy
  }

  private visitBytes(value: ArrayBufferView | ArrayBuffer): object {
    if (bytesKind(value) === undefined) throw refused('a typed array of a kind that is not carried')
    this.charge(value.byteLength)
    return value
  }

  private visitRegExp(value: RegExp): object {
    this.charge(stringBytes(value.source))
    return new RegExp(value.source, value.flags)
  }

  private visitUrl(value: URL): object {
    this.charge(stringBytes(value.href))
    return new URL(value.href)
  }

  private visitError(value: Error): object {
    const { name, message } = value
    if (typeof name !== 'string' || typeof message !== 'string') throw refused('an error whose name or message is not a string')
    this.charge(stringBytes(name) + stringBytes(message))
    const kept = new KeptError(name, message)
    if (Object.hasOwn(value, 'cause')) kept.parts['cause'] = this.visit(value.cause)
    if (Object.hasOwn(value, 'errors')) kept.parts['errors'] = this.visit((value as { errors?: unknown }).errors)
    kept.parts['fields'] = this.visitFields(value, hiddenFieldsOfErrors)
    return kept
  }

  private visitArray(items: readonly unknown[]): unknown[] {
    const { length } = items
    this.charge(slotBytes * length)
    const copy: unknown[] = []
    for (let i = 0; i < length; i++) {
      const item = items[i]
      // A hole would come back as null.
      if (item === undefined && !(i in items)) throw refused('an array with holes')
      const kept = this.visit(item)
      if (this.copying) copy.push(kept)
    }
    return copy
  }

  private visitFieldsOfObject(value: object): object {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && prototype !== Object.prototype) refuseLiveObject(value)
    else if (hasSymbolField(value)) throw refused('a field whose name is a symbol')
    return this.visitFields(value)
  }

  private visitFields(value: object, skipped?: ReadonlySet<string>): object {
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(value)) {
      if (skipped?.has(key)) continue
      this.charge(slotBytes + key.length)
      const kept = this.visit((value as Record<string, unknown>)[key])
      if (key === '__proto__' || key === 'constructor' || key === 'prototype') this.reserved = true
      else if (this.copying) copy[key] = kept
    }
    return copy
  }

  private charge(bytes: number): void {
    this.left -= bytes
    if (this.left < 0) throw new UncacheableValueError('too-large', `The value is larger than ${this.limits.maxBytes} bytes.`)
  }
}

function refused(what: string): UncacheableValueError {
  return new UncacheableValueError('type', `The value holds ${what}, which cannot be kept. Store plain data.`)
}

function hasSymbolField(value: object): boolean {
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) return true
  }
  return false
}

/** Class instances are kept as their fields; this refuses those whose state is elsewhere, of which an empty object would be left. */
function refuseLiveObject(value: object): void {
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) || types.isBoxedPrimitive(value)) {
    throw refused('a promise, a weak collection or a boxed primitive')
  }
  const parts = value as { then?: unknown, pipe?: unknown, on?: unknown, emit?: unknown }
  if (typeof parts.then === 'function') throw refused('something to be awaited')
  if (typeof parts.pipe === 'function' || (typeof parts.on === 'function' && typeof parts.emit === 'function')) {
    throw refused('a stream or an event emitter')
  }
  // Generators, Headers, Blob, AbortSignal, Intl and the like: a name of their own and not one field.
  if (Object.keys(value).length === 0 && tagOf.call(value) !== '[object Object]') throw refused('a live object')
}
