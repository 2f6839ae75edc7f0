import { InvalidOptionError } from '@tiercel/core'
import type { AnyMethod, ArgsOf, AsyncMethod, ResultOf } from './async-method.js'
import { isCachingOff } from './caching.js'
import type { CachePutDecorator, Known } from './decorator-types.js'
import { decorateMethod } from './flavour/method.js'
import { checkOptions } from './methods/merged-options.js'
import { bindingNamed } from './methods/owner.js'
import type { AnyCachePutOptions, CachePutOptions } from './options.js'

/**
 * Runs the method each time, and keeps what it returned as the result of another method of the class, with the options of that one.
 *
 * @throws {InvalidOptionError} when `method`, or both or none of `args` and `resultArgs` are given.
 * @example
 * ```ts
 * @CachePut({ method: 'find', resultArgs: (trip: Trip) => [trip.id] })
 * async create(name: string): Promise<Trip> { … }
 * ```
 */
export function CachePut<O extends AnyCachePutOptions>(options: O & Known<O, CachePutOptions>): CachePutDecorator<O>
export function CachePut<M extends AsyncMethod>(options: CachePutOptions<ArgsOf<M>, ResultOf<M>>): CachePutDecorator<CachePutOptions<ArgsOf<M>, ResultOf<M>>>
export function CachePut(given: object): CachePutDecorator<object> {
  checkOptions('CachePut', given, ['method', 'args', 'resultArgs', 'when'])
  const { method: target, args: byArguments, resultArgs: byResult, when } = given as { readonly [name: string]: unknown }
  for (const [name, value] of Object.entries({ args: byArguments, resultArgs: byResult, when })) {
    if (value !== undefined && typeof value !== 'function') throw new InvalidOptionError(`${name} of @CachePut must be a function`)
  }
  if (typeof target !== 'string') throw new InvalidOptionError('@CachePut needs `method`, the name of the method with @Cached whose result it is')
  if ((byArguments === undefined) === (byResult === undefined)) {
    throw new InvalidOptionError('@CachePut needs one of args and resultArgs: the arguments with which the other method would give this result')
  }
  return decorateMethod('CachePut', (method) => {
    const applied = (of: unknown, self: unknown, args: unknown[]) => (of as AnyMethod | undefined)?.apply(self, args)
    return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      if (isCachingOff() || applied(when, this, args) === false) return method.original.apply(this, args)
      const binding = bindingNamed(this, target)
      const early = applied(byArguments, this, args)
      const result = await method.original.apply(this, args)
      const place = early ?? applied(byResult, this, [result, ...args])
      if (!Array.isArray(place)) throw new InvalidOptionError('args and resultArgs of @CachePut give an array of arguments')
      await binding.put(this, place, result)
      return result
    }
  })
}
