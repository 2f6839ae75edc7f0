import { InvalidOptionError } from '@tiercel/core'
import type { WrittenOptions } from './merged-options.js'
import { inKeys, isEaten } from './names.js'

const settings = new WeakMap<object, WrittenOptions>()

export function setClassSettings(of: object, options: WrittenOptions): void {
  if (settings.has(of)) throw new InvalidOptionError(`${nameOf(of)} has @CacheConfig twice`)
  settings.set(of, options)
}

/** What a class and those above it say, from the top down. */
export function settingsAlong(of: object): WrittenOptions[] {
  const levels: WrittenOptions[] = []
  for (let each: unknown = of; typeof each === 'function'; each = Object.getPrototypeOf(each)) {
    const own = settings.get(each)
    if (own !== undefined) levels.unshift(own)
  }
  return levels
}

/** The name of a class in keys. */
export function nameOf(of: object): string {
  const given = settings.get(of)?.['name'] as string | undefined
  // esbuild calls a class with static members _Trips, and keys are to be the same whoever compiles.
  return given ?? inKeys(String((of as { readonly name?: unknown }).name ?? '')).replace(/^_(?=\p{Lu})/u, '')
}

/** @throws {InvalidOptionError} when it has none that lasts. */
export function lastingNameOf(of: object, property: string): string {
  const name = nameOf(of)
  if (isEaten(name) && settings.get(of)?.['name'] === undefined) {
    throw new InvalidOptionError(
      `The class with the cached method ${property} is called '${name}', which looks like a minifier's work, and keys begin with it. Give the class a name with @CacheConfig({ name: 'Trips' }), or keep names in the build`,
    )
  }
  return name
}
