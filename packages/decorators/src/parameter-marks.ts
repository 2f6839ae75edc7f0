import { InvalidArgumentError, InvalidOptionError } from '@tiercel/core'
import type { CacheParameterDecorator } from './decorator-types.js'

/** What parameters of a method were marked as, by their index. */
export interface Marks {
  readonly key: number[]
  room: number | undefined
}

const NONE: Marks = { key: [], room: undefined }

// By the object that has the method, so that an override starts without the marks of what it overrides.
const marks = new WeakMap<object, Map<string | symbol, Marks>>()

/**
 * Only parameters marked with it become part of the key. Under `experimentalDecorators` only: standard decorators do not go on parameters, and `key` does the same.
 *
 * @example
 * ```ts
 * @Cached() async find(@CacheKey() id: string, trace: Trace) { … }
 * ```
 */
export function CacheKey(): CacheParameterDecorator {
  return (target, property, index) => {
    marksAt('CacheKey', target, property, index).key.unshift(index)
  }
}

/** The room is the argument of this parameter, for `@Cached` and `@Invalidates`. Under `experimentalDecorators` only; `room` does the same. */
export function Room(): CacheParameterDecorator {
  return (target, property, index) => {
    const own = marksAt('Room', target, property, index)
    if (own.room !== undefined) throw new InvalidOptionError(`${String(property)} has @Room on two parameters: an entry has one room`)
    own.room = index
  }
}

export function marksOf(home: object | undefined, property: string | symbol): Readonly<Marks> {
  return (home === undefined ? undefined : marks.get(home)?.get(property)) ?? NONE
}

function marksAt(decorator: string, target: object, property: string | symbol | undefined, index: unknown): Marks {
  if (property === undefined || typeof index !== 'number') throw new InvalidArgumentError(`@${decorator} goes on a parameter of a method`)
  const ofTarget = marks.get(target) ?? new Map<string | symbol, Marks>()
  const own = ofTarget.get(property) ?? { key: [], room: undefined }
  marks.set(target, ofTarget.set(property, own))
  return own
}

/** The room that a marked parameter names. Ids are often numbers, and labels are strings. */
export function markedRoom({ room }: Readonly<Marks>): ((...args: unknown[]) => unknown) | undefined {
  return room === undefined ? undefined : (...args) => (typeof args[room] === 'number' || typeof args[room] === 'bigint' ? String(args[room]) : args[room])
}
