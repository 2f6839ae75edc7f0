import { InvalidArgumentError } from '@tiercel/core'

/** @throws {InvalidArgumentError} for what JSON cannot hold: a circle, a BigInt, a function. The message tells nothing of the value. */
export function toJson(value: unknown, what: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    text = undefined
  }
  if (text === undefined) throw new InvalidArgumentError(`The ${what} cannot be written as JSON`)
  return text
}

/** `undefined` for what is no JSON: somebody else put it there. */
export function fromJson(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
