import { types } from 'node:util'
import { InvalidArgumentError, InvalidOptionError } from '@tiercel/core'
import type { AnyMethod } from '../async-method.js'
import { carryMetadata } from './metadata.js'

/** What standard decorators are told about a method. Written out, so that no `lib` of TypeScript is needed to read it. */
export interface MethodContext {
  readonly kind: 'method'
  readonly name: string | symbol
  readonly static: boolean
  readonly private: boolean
  addInitializer(initializer: (this: unknown) => void): void
}

/** A method that is being decorated, whichever decorators do it. */
export interface DecoratedMethod {
  readonly original: AnyMethod
  readonly property: string | symbol
  readonly isStatic: boolean
  /** `#name`, which nobody finds on the class. */
  readonly isPrivate: boolean
  /** What the method is a property of: the class's prototype, or the class if it is static. Standard decorators are not told. */
  readonly home: object | undefined
  /** Calls back with each instance (or with the class, if static) as soon as there is one. Only standard decorators are told. */
  readonly onOwner: (seen: (owner: object) => void) => void
}

const decoratorOf = new WeakMap<object, string>()

/** Replaces a method by what `wrap` makes of it: for both flavours, one function. */
export function decorateMethod(decorator: string, wrap: (method: DecoratedMethod) => AnyMethod) {
  // In the legacy flavour these are target, name and descriptor; in the standard one, the method and its context.
  return (first: unknown, second: unknown, descriptor?: PropertyDescriptor): unknown => {
    const isStandard = typeof second === 'object' && second !== null && 'kind' in second
    const method = isStandard ? standard(decorator, first, second as MethodContext) : legacy(decorator, first, second, descriptor)
    const wrapper = likeOriginal(wrap(method), method.original)
    decoratorOf.set(wrapper, decorator)
    if (isStandard) return wrapper
    // Changed and returned: some compilers look at the one, some at the other.
    return Object.assign(descriptor as PropertyDescriptor, { value: wrapper })
  }
}

function standard(decorator: string, method: unknown, context: MethodContext): DecoratedMethod {
  if (context.kind !== 'method') throw notAMethod(decorator, `a ${context.kind}`)
  return {
    original: checked(decorator, method),
    property: context.name,
    isStatic: context.static,
    isPrivate: context.private,
    home: undefined,
    onOwner: (seen) =>
      context.addInitializer(function (this: unknown) {
        seen(this as object)
      }),
  }
}

function legacy(decorator: string, target: unknown, property: unknown, descriptor: PropertyDescriptor | undefined): DecoratedMethod {
  if (property === undefined) throw notAMethod(decorator, 'a class')
  if (typeof descriptor !== 'object') throw notAMethod(decorator, typeof descriptor === 'number' ? 'a parameter' : 'a field')
  if (typeof descriptor.value !== 'function') throw notAMethod(decorator, 'a getter or setter')
  return {
    original: checked(decorator, descriptor.value),
    property: property as string | symbol,
    isStatic: typeof target === 'function',
    isPrivate: false,
    home: target as object,
    onOwner: () => {},
  }
}

function checked(decorator: string, method: unknown): AnyMethod {
  if (types.isGeneratorFunction(method)) throw notAMethod(decorator, 'a generator')
  const below = decoratorOf.get(method as object)
  // A hit does not run the method, and would leave out what it is decorated to do; and a write is nothing to keep.
  if (below !== undefined && (decorator === 'Cached' || below === 'Cached')) {
    throw new InvalidOptionError(`@${decorator} and @${below} are on one method: what is cached is not run each time`)
  }
  return method as AnyMethod
}

function notAMethod(decorator: string, what: string): InvalidArgumentError {
  return new InvalidArgumentError(`@${decorator} goes on a method that returns a promise, not on ${what}`)
}

function likeOriginal(wrapper: AnyMethod, original: AnyMethod): AnyMethod {
  for (const property of ['name', 'length']) Object.defineProperty(wrapper, property, { ...Object.getOwnPropertyDescriptor(original, property), configurable: true })
  carryMetadata(original, wrapper)
  return wrapper
}
