import { InvalidOptionError, type Cache } from '@tiercel/core'
import type { AnyFunction } from '../async-method.js'
import { cacheInUse, checkCache } from '../caching.js'
import type { Binding } from './binding.js'
import { settingsAlong } from './class-settings.js'
import { classOf, methodNamed } from './home.js'

/** The cache for what concerns an object or class as a whole: its own, else that of its class, else the one in use. */
export function cacheFor(self: unknown, own: unknown): Cache {
  const owner = ownerOf(self)
  const of = owner === undefined ? undefined : classOf(owner)
  const source = own ?? (of === undefined ? undefined : settingsAlong(of).findLast((level) => level['cache'] !== undefined)?.['cache'])
  if (source === undefined) return cacheInUse()
  const cache: unknown = typeof source === 'function' ? (source as AnyFunction)(self) : source
  checkCache(cache, 'A `cache` must give')
  return cache
}

/** The cached method that an object, or a class as to its static ones, has by this name. */
export function bindingNamed(self: unknown, name: string): Binding {
  const owner = ownerOf(self)
  const method = owner === undefined ? undefined : methodNamed(owner, name)
  if (method === undefined) throw new InvalidOptionError(`There is no method ${name.slice(0, 60)} with @Cached here`)
  return method.bindingOf(self)
}

/** What has the methods of an object or class. */
function ownerOf(self: unknown): object | undefined {
  return typeof self === 'function' ? self : typeof self === 'object' && self !== null ? (Object.getPrototypeOf(self) as object) : undefined
}
