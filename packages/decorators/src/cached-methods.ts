import { nameOf } from './methods/class-settings.js'
import { owners } from './methods/names.js'

/** A cached method, as the listing has it. Figures count since the start of the process. */
export interface CachedMethodInfo {
  /** What its keys begin with: `Trips.find`. */
  readonly name: string
  /** The name of the class it is called on. */
  readonly class: string
  readonly method: string
  /** A pattern that its keys fit, such as `Trips.find(*`. */
  readonly keys: string
  /** What the method and its class say, merged. */
  readonly options: Readonly<Record<string, unknown>>
  /** Calls of it. */
  readonly calls: number
  /** Calls that ran it beside the cache: within `uncached`, by `when`, or because the cache was closed. */
  readonly uncached: number
  /** Runs of it for the cache: because nothing was there, or to renew a value in the background. */
  readonly loads: number
  /** Runs for the cache that failed. */
  readonly failed: number
}

/**
 * Every cached method with its options, keys and figures. Under standard decorators a class is known from its first instance or static method on, or from its
 * definition if it has `@CacheConfig`.
 *
 * @throws {InvalidOptionError} for a name that a minifier has made: called at the start, it finds those that only a call would.
 */
export function cachedMethods(): CachedMethodInfo[] {
  const bindings = new Set(owners().map(({ of, method }) => method.bindTo(of)))
  const listed = [...bindings].map(({ id, of, method, keys, options, figures }) => ({
    name: id,
    class: nameOf(of),
    method,
    keys,
    options: options.written,
    ...figures,
  }))
  return listed.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
