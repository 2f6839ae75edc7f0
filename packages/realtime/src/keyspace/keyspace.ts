import type { Operation } from './operation.js'

/** What a command gives: strings are UTF-8, and status replies strings as well. */
export type Value = string | number | null | Value[]

export type Awaitable<T> = T | Promise<T>

export type Command = readonly (string | number)[]

/**
 * Keys and what can be done with them: in Redis, or in a small Redis in the memory of this process. The latter answers at once and so without a promise, which
 * is how one piece of code can serve both those who await and those who do not.
 */
export interface Keyspace {
  /** One command. Its first argument is the key or channel. */
  send(command: Command): Awaitable<Value>
  /** An operation, with nothing in between its commands. All keys are of one slot: {@link beside}. */
  run(operation: Operation, keys: readonly string[], args: Command): Awaitable<Value>
  /** Removes the keys that match a glob; gives how many there were. What is added meanwhile may stay. */
  removeMatching(pattern: string): Awaitable<number>
}

/** Goes on with what a keyspace gave: at once when it is there, as a memory's is. */
export function after<T, R>(value: Awaitable<T>, then: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(then) : then(value)
}

/** The name of a key that lives in the slot of another, for operations on both: what is in braces decides the slot, and no name has braces of its own. */
export function beside(key: string, suffix: string): string {
  return `{${key}}:${suffix}`
}
