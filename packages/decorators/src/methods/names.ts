import { InvalidOptionError } from '@tiercel/core'
import type { CachedMethod } from './cached-method.js'

/** Names that have been taken are never free again: keys in Redis may outlive whoever made them. */
const MOST_NAMES = 10_000

interface Owner {
  readonly of: object
  readonly method: CachedMethod
}

const taken = new Map<string, Owner>()

/**
 * Takes the name of a method of a class, which all of its keys begin with.
 *
 * @throws {InvalidOptionError} when another class, or another method, has it.
 */
export function takeName(name: string, of: object, method: CachedMethod): void {
  const owner = taken.get(name)
  if (owner !== undefined) {
    if (owner.of === of && owner.method === method) return
    throw new InvalidOptionError(
      `Two classes or methods would use the same keys, those of ${name}. Give each of the classes a name with @CacheConfig({ name }), or the methods with @Cached({ name }); where it is one class that is defined anew, as in hot reloading, call releaseNames() before`,
    )
  }
  if (taken.size >= MOST_NAMES) throw new InvalidOptionError(`There are at most ${MOST_NAMES} cached methods in a process. Are classes made in a loop?`)
  taken.set(name, { of, method })
}

/** The class has got another name since. */
export function giveNameBack(name: string, of: object): void {
  if (taken.get(name)?.of === of) taken.delete(name)
}

/**
 * Forgets which class has which name. For what defines its classes anew in a running process: hot reloading, tests that reset their modules. Classes that were there before
 * and the new ones then share keys.
 */
export function releaseNames(): void {
  taken.clear()
}

/** Who has a name. */
export function owners(): readonly Owner[] {
  return [...taken.values()]
}

/** @throws {InvalidOptionError} */
export function checkName(name: unknown, decorator: string): asserts name is string | undefined {
  if (name !== undefined && !(typeof name === 'string' && name.length <= 128 && name !== '' && inKeys(name) === name)) {
    throw new InvalidOptionError(`name of @${decorator} is 1 to 128 letters, digits and . _ $ @ / -`)
  }
}

/** A name without what has a meaning in keys and patterns. */
export function inKeys(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}_$.@/-]/gu, '_')
}

/** Whether a minifier has made the name, as far as one can tell. Such a name changes with every build, and others have it too. */
export function isEaten(name: string): boolean {
  return name.length < 3
}
