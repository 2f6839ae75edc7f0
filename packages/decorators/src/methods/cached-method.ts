import { InvalidOptionError } from '@tiercel/core'
import type { AnyMethod } from '../async-method.js'
import { isCachingOff, isUncached } from '../caching.js'
import type { DecoratedMethod } from '../flavour/method.js'
import { ArgumentsKey } from '../keys/arguments-key.js'
import { Binding } from './binding.js'
import { lastingNameOf, nameOf, settingsAlong } from './class-settings.js'
import { classOf, findHome, rememberHome } from './home.js'
import { mergeOptions, type WrittenOptions } from './merged-options.js'
import { giveNameBack, inKeys, isEaten, takeName } from './names.js'

/**
 * A method with `@Cached`. Its keys begin with the class it is called on, and with the one that declared it where that is another: what an inherited method gives can
 * depend on the class, and an override may call `super` with the same arguments.
 *
 * Who that is becomes known at different times. Legacy decorators are told the class, but not whether it is going to have a name from `@CacheConfig`; standard ones are
 * told neither, and see the first instance, or the class in `@CacheConfig`.
 */
export class CachedMethod {
  readonly #method: DecoratedMethod
  readonly #options: WrittenOptions
  readonly #key: ArgumentsKey
  readonly #byClass = new Map<object, Binding>()
  readonly #byOwner = new WeakMap<object, Binding>()
  /** Nearly always all calls are on one class. */
  #lastOwner: object | undefined
  #lastBinding: Binding | undefined
  #home: object | undefined
  #nameForNow: string | undefined

  constructor(method: DecoratedMethod, options: WrittenOptions, marked: readonly number[]) {
    if (method.isPrivate && options['name'] === undefined) {
      throw new InvalidOptionError(`Nobody can tell the class of the private method ${String(method.property)}: give it a name of its own, as in @Cached({ name: 'Trips.find' })`)
    }
    // For what is wrong whatever the class says.
    mergeOptions([options])
    this.#method = method
    this.#options = options
    this.#key = new ArgumentsKey(method.original, options['key'] as AnyMethod | undefined, marked)
    method.onOwner((owner) => {
      if (!isCachingOff()) this.bindingOf(owner)
    })
    if (method.home !== undefined) this.#settleEarly(method.home)
  }

  get property(): string | symbol {
    return this.#method.property
  }

  call(self: unknown, args: unknown[]): Promise<unknown> {
    try {
      if (isCachingOff()) return this.#run(self, args)
      const binding = this.bindingOf(self)
      const { plan, figures } = binding
      figures.calls++
      if (!isUncached() && (plan.when === undefined || plan.when.apply(self, args) !== false)) {
        const cache = binding.cacheOf(self)
        if (!cache.closed) return binding.find(cache, self, args)
      }
      figures.uncached++
      return this.#run(self, args)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The method as the class of an object has it. */
  bindingOf(self: unknown): Binding {
    const owner = this.#ownerOf(self)
    if (owner === this.#lastOwner) return this.#lastBinding as Binding
    let binding = this.#byOwner.get(owner)
    if (binding === undefined) {
      this.#home ??= this.#method.isPrivate ? undefined : findHome(owner, this)
      if (this.#home !== undefined) rememberHome(this.#home, this)
      binding = this.bindTo(this.#classAt(owner))
      this.#byOwner.set(owner, binding)
    }
    this.#lastOwner = owner
    this.#lastBinding = binding
    return binding
  }

  /** The method was found as a property of `home`. */
  settleAt(home: object): void {
    if (this.#home !== undefined) return
    this.#home = home
    rememberHome(home, this)
  }

  /** The method as a class has it, which is by now all that it is going to be. */
  bindTo(of: object): Binding {
    const known = this.#byClass.get(of)
    if (known !== undefined) return known
    const id = this.#idOf(of, (each) => lastingNameOf(each, String(this.property)))
    const binding = new Binding(id, of, mergeOptions([...settingsAlong(of), this.#options]), this.#method.original, String(this.property), this.#key)
    if (this.#nameForNow !== undefined && this.#nameForNow !== id && this.#isAtHome(of)) giveNameBack(this.#nameForNow, of)
    takeName(id, of, this)
    this.#byClass.set(of, binding)
    return binding
  }

  #run(self: unknown, args: unknown[]): Promise<unknown> {
    return Promise.resolve(this.#method.original.apply(self, args))
  }

  #ownerOf(self: unknown): object {
    // Without an object, as after `const { find } = trips`: as its own class has it.
    const owner: unknown = self === undefined || self === null ? this.#home : this.#method.isStatic ? self : Object.getPrototypeOf(self)
    if (typeof owner === 'object' && owner !== null) return owner
    if (typeof owner === 'function') return owner
    throw new InvalidOptionError(`${String(this.property)} was called without the object it is a method of, and nobody can tell its class yet`)
  }

  #classAt(owner: object): object {
    const of = classOf(owner)
    if (of === undefined) throw new InvalidOptionError(`${String(this.property)} was called on an object without a class: its keys would begin with nothing`)
    return of
  }

  /**
   * The name is taken at once, so that two classes of one name are refused where the second one is defined. `@CacheConfig` may still change it. A name that a minifier has made is
   * only told of: it is refused at the first use, when it is certain that there is no other.
   */
  #settleEarly(home: object): void {
    this.#home = home
    rememberHome(home, this)
    const of = this.#classAt(home)
    if (this.#options['name'] === undefined && isEaten(nameOf(of))) {
      queueMicrotask(() => {
        try {
          this.bindTo(of)
        } catch (error) {
          process.emitWarning(error as Error)
        }
      })
    } else {
      this.#nameForNow = this.#idOf(of, nameOf)
      takeName(this.#nameForNow, of, this)
    }
  }

  #isAtHome(of: object): boolean {
    return this.#home !== undefined && this.#classAt(this.#home) === of
  }

  #idOf(of: object, name: (of: object) => string): string {
    const given = this.#options['name'] as string | undefined
    if (this.#isAtHome(of)) return given ?? `${name(of)}${this.#memberName()}`
    const declared = given ?? (this.#home === undefined ? '' : name(this.#classAt(this.#home))) + this.#memberName()
    return `${name(of)}/${declared}`
  }

  #memberName(): string {
    const { property, isStatic } = this.#method
    // Symbols and other odd names too. Should two become one, the second is refused.
    return `${isStatic ? '.static' : ''}.${inKeys(String(property))}`
  }
}
