import { InvalidKeyError, InvalidOptionError } from '@tiercel/core'
import type { ArgsOf, AsyncMethod, ResultOf } from './async-method.js'
import type { CachedDecorator, Known } from './decorator-types.js'
import { parameterTypes } from './flavour/metadata.js'
import { decorateMethod, type DecoratedMethod } from './flavour/method.js'
import { hasNoIdentity } from './keys/kinds-without-identity.js'
import { parametersOf } from './keys/parameters.js'
import { CachedMethod } from './methods/cached-method.js'
import { rememberWrapper } from './methods/home.js'
import { checkOptions, OPTIONS_OF_THE_CORE, type WrittenOptions } from './methods/merged-options.js'
import { checkName } from './methods/names.js'
import type { AnyCachedOptions, CachedOptions } from './options.js'
import { markedRoom, marksOf, type Marks } from './parameter-marks.js'

const NAMES = [...OPTIONS_OF_THE_CORE, 'name', 'cache', 'key', 'signal', 'when', 'unless', 'resultTtl', 'resultTags', 'resultRoom', 'returns']

/**
 * Caches what a method returns, by the class, the method and its arguments. Calls for what is being loaded wait for that load.
 *
 * Options say otherwise what the class (`@CacheConfig`) and the cache say. Functions among them must have the types of the method's parameters written out, or
 * the method's type named: `@Cached<Trips['find']>({ … })`.
 *
 * @throws {InvalidOptionError} for an option that does not exist, cannot be so or contradicts another one; for a name that another class has, or that a minifier made.
 * @throws {InvalidKeyError} for a parameter whose type cannot be part of a key, where the compiler emits types.
 * @throws {InvalidArgumentError} on anything but a method that returns a promise.
 * @example
 * ```ts
 * class Trips {
 *   @Cached({ ttl: '5m', room: (tripId: string) => tripId })
 *   async find(tripId: string): Promise<Trip> { … }
 * }
 * ```
 */
export function Cached(): CachedDecorator<object>
export function Cached<O extends AnyCachedOptions>(options: O & Known<O, CachedOptions>): CachedDecorator<O>
export function Cached<M extends AsyncMethod>(options: CachedOptions<ArgsOf<M>, ResultOf<M>>): CachedDecorator<CachedOptions<ArgsOf<M>, ResultOf<M>>>
export function Cached(options: object = {}): CachedDecorator<object> {
  checkOptions('Cached', options, NAMES)
  checkName(options['name'], 'Cached')
  return decorateMethod('Cached', (method) => {
    const marks = marksOf(method.home, method.property)
    const written = withMarks(method, { ...options }, marks)
    refuseTypes(method, written, marks)
    const cached = new CachedMethod(method, written, marks.key)
    const wrapper = function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return cached.call(this, args)
    }
    rememberWrapper(wrapper, cached)
    return wrapper
  })
}

function withMarks({ property }: DecoratedMethod, options: WrittenOptions, marks: Readonly<Marks>): WrittenOptions {
  const refuse = (mark: string, option: string) => new InvalidOptionError(`${String(property)} has ${mark} on a parameter, and ${option} too: which one counts? Leave one out`)
  if (options['room'] !== undefined && options['resultRoom'] !== undefined) throw new InvalidOptionError(`${String(property)} has room and resultRoom: an entry has one room. Leave one out`)
  if (marks.key.length > 0 && options['key'] !== undefined) throw refuse('@CacheKey', 'key')
  const room = markedRoom(marks)
  if (room === undefined) return options
  if (options['room'] !== undefined || options['resultRoom'] !== undefined) throw refuse('@Room', 'room')
  return { ...options, room }
}

/** What cannot be part of a key is refused here already if the compiler wrote the types down. */
function refuseTypes({ home, original, property }: DecoratedMethod, options: WrittenOptions, marks: Readonly<Marks>): void {
  if (home === undefined || options['key'] !== undefined) return
  for (const [index, type] of parameterTypes(home, property).entries()) {
    if ((marks.key.length > 0 && !marks.key.includes(index)) || !hasNoIdentity(type)) continue
    const name = parametersOf(original).names[index]
    throw new InvalidKeyError(`${String(property)}: ${name ? `the parameter '${name}'` : `argument ${index + 1}`} is a ${type.name}, which cannot be part of a key. Give @Cached a \`key\` that leaves it out`)
  }
}
