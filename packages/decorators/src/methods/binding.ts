import { InvalidKeyError, type Cache, type CallOptions, type LoadContext } from '@tiercel/core'
import type { AnyMethod } from '../async-method.js'
import { cacheInUse, checkCache } from '../caching.js'
import { standsAsItIs, type ArgumentsKey } from '../keys/arguments-key.js'
import { canonical } from '../keys/canonical.js'
import { NoIdentity } from '../keys/no-identity.js'
import { CallPlan } from './call-plan.js'
import { asInstances } from './instances.js'
import type { MergedOptions } from './merged-options.js'

/** How often what happened. */
export interface MethodFigures {
  /** Calls of the method. */
  calls: number
  /** Calls that ran it beside the cache: `uncached`, `when`, a cache that was closed. */
  uncached: number
  /** Runs of it for the cache: at a miss, or to renew a value in the background. */
  loads: number
  /** Those of them that failed. */
  failed: number
}

/** A cached method as one class has it, its own or an inherited one: with the keys, options and figures of that class. */
export class Binding {
  readonly figures: MethodFigures = { calls: 0, uncached: 0, loads: 0, failed: 0 }
  readonly plan: CallPlan
  // What every call asks for, apart from all the options that there can be.
  readonly #cache: MergedOptions['cache']
  readonly #instance: MergedOptions['instance']
  readonly #returns: MergedOptions['returns']
  #cacheGiven: Cache | undefined
  /** What keys of a single text begin with, if the arguments are all there is to a key. */
  readonly #prefixOfText: string | undefined

  constructor(
    /** What all of its keys begin with. */
    readonly id: string,
    /** The class it is called on. */
    readonly of: object,
    readonly options: MergedOptions,
    private readonly original: AnyMethod,
    /** The name of the method. */
    readonly method: string,
    private readonly argumentsKey: ArgumentsKey,
  ) {
    this.plan = new CallPlan(options)
    this.#cache = options.cache
    this.#instance = options.instance
    this.#returns = options.returns
    this.#prefixOfText = options.instance === undefined && argumentsKey.takesAll ? `${id}:` : undefined
  }

  keyOf(self: unknown, args: readonly unknown[]): string {
    // The most frequent arguments of all, in one step: nothing takes as long as to put a text together.
    if (args.length === 1 && this.#prefixOfText !== undefined) {
      const only = args[0]
      if (standsAsItIs(only)) return this.#prefixOfText + only
    }
    return this.#prefixOf(self) + this.argumentsKey.of(this.id, self, args)
  }

  /** A pattern that fits all of its keys and no others. */
  get keys(): string {
    return `${literal(this.id)}${this.#instance === undefined ? '[:(]' : '\\['}*`
  }

  /** As `keys`, of one object. */
  keysOf(self: unknown): string {
    return `${literal(this.#prefixOf(self))}[:(]*`
  }

  cacheOf(self: unknown): Cache {
    const cache = this.#cache
    if (cache === undefined) return cacheInUse()
    if (typeof cache !== 'function') return cache
    const given: unknown = cache(self)
    // Nearly always it is the one it was.
    if (given !== this.#cacheGiven || this.#cacheGiven === undefined) {
      checkCache(given, `The \`cache\` of ${this.id} must give`)
      this.#cacheGiven = given
    }
    return this.#cacheGiven
  }

  /** What a call gives by way of the cache. */
  find(cache: Cache, self: unknown, args: readonly unknown[]): Promise<unknown> {
    return this.shaped(cache.getOrSet(this.keyOf(self, args), (ctx) => this.#load(ctx, self, args), this.plan.optionsOf(self, args)))
  }

  /** Runs the method for the cache. */
  async #load(ctx: LoadContext, self: unknown, args: readonly unknown[]): Promise<unknown> {
    this.figures.loads++
    try {
      const result = await this.original.apply(self, args as unknown[])
      this.plan.judge(ctx, result, self, args)
      return result
    } catch (error) {
      this.figures.failed++
      throw error
    }
  }

  /** Whatever comes from the cache, as what the method says it returns. */
  shaped(result: Promise<unknown>): Promise<unknown> {
    const returns = this.#returns
    return returns === undefined ? result : result.then((value) => asInstances(value, returns()))
  }

  /** Keeps a result that comes from elsewhere; what is not to be kept takes the place of an older one all the same. */
  async put(self: unknown, args: readonly unknown[], result: unknown): Promise<boolean> {
    const cache = this.cacheOf(self)
    if (cache.closed || this.plan.when?.apply(self, args as unknown[]) === false) return false
    const key = this.keyOf(self, args)
    const options: CallOptions | undefined = this.plan.optionsOfPut(result, self, args)
    if (options !== undefined) return cache.set(key, result, options)
    await cache.delete(key)
    return false
  }

  #prefixOf(self: unknown): string {
    const instance = this.#instance
    if (instance === undefined || typeof self === 'function') return this.id
    try {
      return `${this.id}[${canonical(instance(self))}]`
    } catch (error) {
      if (!(error instanceof NoIdentity)) throw error
      throw new InvalidKeyError(`${this.id}: what \`instance\` of its class gives is or holds ${error.what}`)
    }
  }
}

/** For a pattern, what is meant as it is. */
function literal(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, '\\$&')
}
