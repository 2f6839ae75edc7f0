import { InvalidKeyError, InvalidOptionError } from '@tiercel/core'

const LONGEST_ID = 1024

/**
 * An id as part of a key. Braces decide the slot of a key in a cluster, so they are encoded, and `%` with them; control characters too, for those who read with redis-cli.
 *
 * @throws {InvalidKeyError}
 */
export function encodeId(id: unknown, what: string): string {
  if (typeof id !== 'string' || id === '') throw new InvalidKeyError(`The ${what} must be a string that is not empty`)
  if (id.length > LONGEST_ID) throw new InvalidKeyError(`The ${what} has at most ${LONGEST_ID} characters; this one has ${id.length}`)
  if (!id.isWellFormed()) throw new InvalidKeyError(`The ${what} must be well-formed Unicode`)
  return id.replaceAll(/[%{}\p{Cc}]/gu, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/** @throws {InvalidOptionError} */
export function checkPrefix(prefix: unknown): string {
  if (typeof prefix !== 'string' || !/^[A-Za-z0-9_.:-]{0,64}$/.test(prefix)) {
    throw new InvalidOptionError('prefix must be at most 64 letters, digits, dots, underscores, hyphens and colons')
  }
  return prefix
}

/** Back from `encodeId`. */
export function decodeId(name: string): string {
  return name.replaceAll(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** @throws {InvalidOptionError} */
export function wholeNumber(value: unknown, option: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new InvalidOptionError(`${option} must be a whole number from ${least} to ${most}`)
  }
  return value
}
