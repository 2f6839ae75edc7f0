import { canonicalString } from './text.js'

const MOST_REMEMBERED = 1000

/** Names of fields are few and come again and again, unless somebody makes them up. */
export const remembered = new Map<string, string>()

/** The name of a field in a key: bare where it reads as a name. */
export function fieldName(name: string): string {
  let written = remembered.get(name)
  if (written === undefined) {
    written = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : canonicalString(name)
    if (remembered.size < MOST_REMEMBERED) remembered.set(name, written)
  }
  return written
}
