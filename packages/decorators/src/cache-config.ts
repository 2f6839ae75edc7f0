import { InvalidOptionError } from '@tiercel/core'
import type { CacheConfigDecorator } from './decorator-types.js'
import { decorateClass } from './flavour/class.js'
import { setClassSettings } from './methods/class-settings.js'
import { methodsAt } from './methods/home.js'
import { checkOptions, mergeOptions, OPTIONS_OF_THE_CORE } from './methods/merged-options.js'
import { checkName } from './methods/names.js'
import type { CacheConfigOptions } from './options.js'

const NAMES = [...OPTIONS_OF_THE_CORE, 'name', 'cache', 'instance']

/**
 * Options for all methods with `@Cached` of a class and of those that extend it. Each method can say otherwise, and so can `@CacheConfig` of a class that extends it.
 *
 * @throws {InvalidOptionError} as `@Cached`, for the options of the class together with those of its methods too.
 * @example
 * ```ts
 * @CacheConfig({ name: 'Trips', ttl: '10m', cache: (self: Trips) => self.cache })
 * class Trips { … }
 * ```
 */
export function CacheConfig<Self = unknown>(options: CacheConfigOptions<Self>): CacheConfigDecorator<Self> {
  checkOptions('CacheConfig', options, NAMES)
  checkName(options.name, 'CacheConfig')
  for (const name of ['ttl', 'tags', 'room'] as const) {
    if (typeof options[name] === 'function') throw new InvalidOptionError(`${name} of @CacheConfig is the same for all methods, whose arguments differ: give the function to @Cached`)
  }
  mergeOptions([options])
  const written = { ...options }
  return decorateClass('CacheConfig', (decorated) => {
    setClassSettings(decorated, written)
    for (const method of [...methodsAt(decorated.prototype as object), ...methodsAt(decorated)]) method.bindTo(decorated)
  })
}
