import { InvalidOptionError, InvalidTargetError, type Cache, type InvalidateTarget } from '@tiercel/core'
import type { AnyMethod, ArgsOf, AsyncMethod, ResultOf } from './async-method.js'
import { isCachingOff } from './caching.js'
import type { InvalidatesDecorator, Known } from './decorator-types.js'
import { decorateMethod } from './flavour/method.js'
import { checkOptions, type WrittenOptions } from './methods/merged-options.js'
import { bindingNamed, cacheFor } from './methods/owner.js'
import type { AnyInvalidatesOptions, InvalidatesOptions } from './options.js'
import { markedRoom, marksOf } from './parameter-marks.js'

const BY_RESULT = ['resultTags', 'resultRoom', 'resultArgs']
const TARGETS = ['tags', 'room', 'keys', 'all', 'method', 'resultTags', 'resultRoom']
const NAMES = [...TARGETS, 'args', 'resultArgs', 'when', 'before', 'expire', 'cache']

/**
 * Drops what the method makes old: after it, if it did not fail, or before it. The method is never run twice and never fails for it.
 *
 * What depends on the arguments alone is looked at before the method runs, so that a mistake is refused before anything is done.
 *
 * @throws {InvalidOptionError} when nothing is named, or options contradict each other.
 * @example
 * ```ts
 * @Invalidates({ room: (tripId: string) => tripId })
 * async rename(tripId: string, name: string): Promise<void> { … }
 * ```
 */
export function Invalidates(): InvalidatesDecorator<object>
export function Invalidates<O extends AnyInvalidatesOptions>(options: O & Known<O, InvalidatesOptions>): InvalidatesDecorator<O>
export function Invalidates<M extends AsyncMethod>(options: InvalidatesOptions<ArgsOf<M>, ResultOf<M>>): InvalidatesDecorator<InvalidatesOptions<ArgsOf<M>, ResultOf<M>>>
export function Invalidates(given: object = {}): InvalidatesDecorator<object> {
  checkOptions('Invalidates', given, NAMES)
  refuseContradictions(given)
  return decorateMethod('Invalidates', (method) => {
    const room = markedRoom(marksOf(method.home, method.property))
    if (room !== undefined && given['room'] !== undefined) throw new InvalidOptionError(`${String(method.property)} has @Room on a parameter, and room too: leave one out`)
    const options: WrittenOptions = room === undefined ? given : { ...given, room }
    if (TARGETS.every((name) => options[name] === undefined || options[name] === false)) {
      throw new InvalidOptionError(`@Invalidates on ${String(method.property)} says nothing to invalidate, such as { room: (tripId: string) => tripId }`)
    }
    return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      if (isCachingOff() || applied(options['when'], this, args) === false) return method.original.apply(this, args)
      const change = new Change(options, this)
      change.nameByArguments(args)
      if (options['before'] === true) {
        await change.make()
        return method.original.apply(this, args)
      }
      const result = await method.original.apply(this, args)
      change.nameByResult(result, args)
      await change.make()
      return result
    }
  })
}

function refuseContradictions(options: WrittenOptions): void {
  const given = (name: string) => options[name] !== undefined
  for (const name of [...BY_RESULT, 'args', 'when']) if (given(name) && typeof options[name] !== 'function') throw new InvalidOptionError(`${name} of @Invalidates must be a function`)
  if (given('method') && typeof options['method'] !== 'string') throw new InvalidOptionError('method of @Invalidates is the name of a method')
  for (const name of ['before', 'expire', 'all']) if (given(name) && typeof options[name] !== 'boolean') throw new InvalidOptionError(`${name} of @Invalidates must be true or false`)
  if ((given('args') || given('resultArgs')) && !given('method')) throw new InvalidOptionError('args of @Invalidates are those of a `method`: name it')
  if (given('args') && given('resultArgs')) throw new InvalidOptionError('@Invalidates has args and resultArgs: leave one out')
  const early = options['before'] === true ? BY_RESULT.find(given) : undefined
  if (early !== undefined) throw new InvalidOptionError(`@Invalidates has before, and ${early}: before the method there is no result`)
}

/** What one call makes old. */
class Change {
  readonly #target: InvalidateTarget & { tags?: string[]; rooms?: string[]; keys?: string[] } = {}
  /** Of the cached method that is named, which may be in a cache of its own. */
  readonly #ofMethod: { readonly cache: Cache; readonly target: InvalidateTarget }[] = []

  constructor(
    private readonly options: WrittenOptions,
    private readonly self: unknown,
  ) {}

  nameByArguments(args: readonly unknown[]): void {
    const { options, self } = this
    const said = (name: string) => (typeof options[name] === 'function' ? applied(options[name], self, args) : options[name])
    if (options['tags'] !== undefined) this.#target.tags = listOf(said('tags'), 'tags')
    if (options['room'] !== undefined) this.#target.rooms = [present(said('room'), 'room')]
    if (options['keys'] !== undefined) this.#target.keys = listOf(said('keys'), 'keys')
    if (options['all'] === true) this.#target.all = true
    if (options['method'] !== undefined && options['resultArgs'] === undefined) this.#nameMethod(options['args'] === undefined ? undefined : said('args'))
  }

  nameByResult(result: unknown, args: readonly unknown[]): void {
    const { options, self } = this
    const said = (name: string) => applied(options[name], self, [result, ...args])
    if (options['resultTags'] !== undefined) this.#target.tags = [...(this.#target.tags ?? []), ...listOf(said('resultTags'), 'resultTags')]
    const room = options['resultRoom'] === undefined ? undefined : said('resultRoom')
    if (room !== undefined && room !== null) this.#target.rooms = [...(this.#target.rooms ?? []), room as string]
    if (options['resultArgs'] !== undefined) this.#nameMethod(said('resultArgs'))
  }

  async make(): Promise<void> {
    const { options, self } = this
    const wanted = [...this.#ofMethod]
    if (Object.keys(this.#target).length > 0) wanted.push({ cache: cacheFor(self, options['cache']), target: this.#target })
    await Promise.all(wanted.map(({ cache, target }) => cache.closed || (options['expire'] === true ? cache.expire(target) : cache.invalidate(target))))
  }

  #nameMethod(args: unknown): void {
    const binding = bindingNamed(this.self, this.options['method'] as string)
    const target = args === undefined ? { pattern: binding.keysOf(this.self) } : { key: binding.keyOf(this.self, listOf(args, 'args')) }
    this.#ofMethod.push({ cache: binding.cacheOf(this.self), target })
  }
}

function applied(option: unknown, self: unknown, args: readonly unknown[]): unknown {
  return (option as AnyMethod | undefined)?.apply(self, args as unknown[])
}

/** A lost variable must not pass for nothing to drop. */
function present(value: unknown, name: string): string {
  if (value === undefined || value === null) throw new InvalidTargetError(`${name} of @Invalidates is ${value}: nothing would be invalidated`)
  return value as string
}

function listOf(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) throw new InvalidTargetError(`${name} of @Invalidates must be an array`)
  return value as string[]
}
