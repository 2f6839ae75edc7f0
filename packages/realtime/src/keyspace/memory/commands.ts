import { RedisRefusedError } from '@tiercel/core'
import type { Value } from '../keyspace.js'
import type { Store } from './store.js'

export type CommandOf = (store: Store, args: readonly string[]) => Value
export type Commands = Readonly<Record<string, CommandOf>>

export function refused(message: string): RedisRefusedError {
  return new RedisRefusedError('other', message)
}

/** As the core calls it: something is under the key with which this cannot be done. */
export function notANumber(): RedisRefusedError {
  return new RedisRefusedError('wrongtype', 'A value is no number, or out of range')
}

export function integer(text: string | undefined): number {
  const number = Number(text)
  if (text === undefined || !/^-?\d{1,16}$/.test(text) || !Number.isSafeInteger(number)) throw notANumber()
  return number
}

/** First and last index of a range as Redis has them: inclusive, and negative from the end. */
export function range<T>(items: readonly T[], first: string | undefined, last: string | undefined): T[] {
  const [from, to] = [integer(first), integer(last)].map((index) => (index < 0 ? items.length + index : index)) as [number, number]
  return to < 0 ? [] : items.slice(Math.max(0, from), to + 1)
}

export function flag(did: boolean): number {
  return did ? 1 : 0
}
