import type { Value } from './keyspace.js'

/** What is expected of a keyspace is always a string, a list of them, or pairs in a row: anything else was put there by others, and counts as absent. */
export function texts(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

export function text(value: Value | undefined): string | undefined {
  return value === null || value === undefined || Array.isArray(value) ? undefined : String(value)
}

/** Fields and values in a row, as HGETALL gives them. */
export function pairs(value: Value | undefined): [string, string][] {
  const flat = texts(value)
  return Array.from({ length: flat.length >> 1 }, (_, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? ''])
}
