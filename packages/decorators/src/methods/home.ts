import type { AnyMethod } from '../async-method.js'
import type { CachedMethod } from './cached-method.js'

const byWrapper = new WeakMap<AnyMethod, CachedMethod>()
const byHome = new WeakMap<object, Map<string | symbol, CachedMethod>>()

export function rememberWrapper(wrapper: AnyMethod, method: CachedMethod): void {
  byWrapper.set(wrapper, method)
}

export function rememberHome(home: object, method: CachedMethod): void {
  const methods = byHome.get(home) ?? new Map<string | symbol, CachedMethod>()
  byHome.set(home, methods.set(method.property, method))
}

/** The cached methods that an object has as its own: of a prototype, or static ones of a class. */
export function methodsAt(home: object): CachedMethod[] {
  for (const property of Reflect.ownKeys(home)) {
    const value: unknown = Object.getOwnPropertyDescriptor(home, property)?.value
    const method = typeof value === 'function' ? byWrapper.get(value as AnyMethod) : undefined
    if (method !== undefined) method.settleAt(home)
  }
  return [...(byHome.get(home)?.values() ?? [])]
}

/** The cached method that an object or class has by a name: its own, or an inherited one. */
export function methodNamed(owner: object, property: string | symbol): CachedMethod | undefined {
  for (let at: object | null = owner; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const found = methodsAt(at).find((method) => method.property === property)
    if (found !== undefined) return found
    // An override that is not cached hides what is above.
    if (Object.hasOwn(at, property)) return undefined
  }
  return undefined
}

/**
 * Where a method was declared, which standard decorators are not told: above an object that has it. By its wrapper; or, if another decorator has wrapped that in turn, by its
 * name, from the top, because what is above is constructed first.
 */
export function findHome(owner: object, method: CachedMethod): object | undefined {
  let byName: object | undefined
  for (let at: object | null = owner; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const value: unknown = Object.getOwnPropertyDescriptor(at, method.property)?.value
    if (typeof value !== 'function') continue
    const known = byWrapper.get(value as AnyMethod)
    if (known === method) return at
    if (known === undefined && byHome.get(at)?.get(method.property) === undefined) byName = at
  }
  return byName
}

/** The class that has this prototype, or a class itself. */
export function classOf(owner: object): object | undefined {
  if (typeof owner === 'function') return owner
  for (let at: object | null = owner; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const constructor: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value
    if (typeof constructor === 'function') return constructor
  }
  return undefined
}
