import { syncBuiltinESMExports } from 'node:module'

/** A property that holds something else for a while. */
export interface Replacement {
  readonly owner: object
  readonly name: string
  readonly value: unknown
}

/** Puts them in place, and gives a function that takes them back, but for what somebody else has replaced in turn. */
export function replace(replacements: readonly Replacement[]): () => void {
  const before = replacements.map(({ owner, name }) => Object.getOwnPropertyDescriptor(owner, name))
  for (const { owner, name, value } of replacements) Object.defineProperty(owner, name, { value, configurable: true, writable: true, enumerable: true })
  // For those who import them by name from Node's own modules.
  syncBuiltinESMExports()
  return () => {
    for (const [index, { owner, name, value }] of replacements.entries()) {
      if (Reflect.get(owner, name) !== value) continue
      const descriptor = before[index]
      if (descriptor === undefined) Reflect.deleteProperty(owner, name)
      else Object.defineProperty(owner, name, descriptor)
    }
    syncBuiltinESMExports()
  }
}
