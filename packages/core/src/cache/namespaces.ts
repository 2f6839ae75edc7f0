import { isDeepStrictEqual } from 'node:util'
import { InvalidOptionError } from '../errors/index.js'
import { Scope, type Shared } from '../flight/index.js'
import { checkNamespaceOptions, resolveDefaults, type EntryOptions } from '../options/index.js'
import { Cache } from './cache.js'

const MOST_WITH_OPTIONS = 10_000

/**
 * The namespaces of a cache that somebody still holds. A namespace made without options is only remembered while it is in use: one per
 * tenant may be made at every request. One with options is remembered for good, since they count for whoever opens it next.
 */
export class Namespaces {
  readonly #shared: Shared
  readonly #byPath = new Map<string, WeakRef<Cache>>()
  readonly #scopes = new WeakMap<Cache, Scope>()
  readonly #configured = new Map<string, { readonly cache: Cache; readonly options: EntryOptions }>()
  readonly #forget = new FinalizationRegistry<string>((path) => {
    if (this.#byPath.get(path)?.deref() === undefined) this.#byPath.delete(path)
  })
  readonly #root: Cache

  constructor(shared: Shared, levels: readonly string[], options: EntryOptions) {
    this.#shared = shared
    this.#root = this.#make(new Scope(shared, levels, undefined, options))
  }

  get root(): Cache {
    return this.#root
  }

  /** @throws {InvalidOptionError} when the namespace has other options already. */
  open(levels: readonly string[], options: EntryOptions | undefined): Cache {
    const path = levels.join(':')
    if (options !== undefined) this.#checkOptions(path, options)
    let cache = this.#byPath.get(path)?.deref()
    if (cache === undefined) {
      cache = this.#make(new Scope(this.#shared, levels, this.#parentOf(levels), options ?? {}))
    } else if (options !== undefined && !this.#configured.has(path)) {
      this.#configure(this.#scopeOf(cache), options)
    }
    if (options !== undefined) this.#configured.set(path, { cache, options: { ...options } })
    return cache
  }

  #checkOptions(path: string, options: EntryOptions): void {
    checkNamespaceOptions(options)
    const known = this.#configured.get(path)?.options
    if (known !== undefined && !meanTheSame(options, known)) {
      throw new InvalidOptionError(`The namespace ${path} has other options already. Give them once, where it is first opened`)
    }
    if (known === undefined && this.#configured.size >= MOST_WITH_OPTIONS) {
      throw new InvalidOptionError(`A cache has at most ${MOST_WITH_OPTIONS} namespaces with options of their own. Give the options to one namespace above them`)
    }
  }

  /** Namespaces that were opened before the one above them got its options have those too; if they do not fit one of them, all stays as it was. */
  #configure(scope: Scope, options: EntryOptions): void {
    try {
      scope.configure(options)
      this.#configureBelow(scope.path)
    } catch (error) {
      scope.configure({})
      this.#configureBelow(scope.path)
      throw error
    }
  }

  #configureBelow(path: string): void {
    const below = [...this.#byPath.values()]
      .flatMap((ref) => ref.deref() ?? [])
      .map((cache) => this.#scopeOf(cache))
      .filter((scope) => scope.path.startsWith(`${path}:`))
    below.sort((a, b) => a.levels.length - b.levels.length).forEach((scope) => scope.configure())
  }

  #parentOf(levels: readonly string[]): Scope {
    const root = this.#scopeOf(this.#root)
    const above = levels.slice(0, -1)
    return above.length <= root.levels.length ? root : this.#scopeOf(this.open(above, undefined))
  }

  #scopeOf(cache: Cache): Scope {
    return this.#scopes.get(cache) as Scope
  }

  #make(scope: Scope): Cache {
    const cache = new Cache(scope, this)
    this.#scopes.set(cache, scope)
    this.#byPath.set(scope.path, new WeakRef(cache))
    this.#forget.register(cache, scope.path)
    return cache
  }
}

/** Whether two sets of options come to the same: `'5m'` is 300,000, and functions made where they are given are not compared. */
function meanTheSame(some: EntryOptions, others: EntryOptions): boolean {
  return isDeepStrictEqual({ ...resolveDefaults(some), onError: undefined }, { ...resolveDefaults(others), onError: undefined })
}
