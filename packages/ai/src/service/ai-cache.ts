import { InvalidOptionError } from '@tiercel/core'
import { matcherOf, openFamilies, scopedKey, textOf, type AICacheStats, type Families, type FamilyName } from '../families/index.js'
import { Sharing } from '../sharing/index.js'
import type { AICacheSettings } from './options.js'

const MINUTE = 60_000
const MAINTENANCE_MS = 5 * MINUTE

/** The four families, what is shared of them, and the rules. Both faces of the service speak to this; none of its promises rejects. */
export class AICache {
  readonly #settings: AICacheSettings
  readonly #families: Families
  readonly #sharing: Sharing | undefined
  readonly #maintenance: NodeJS.Timeout | undefined
  #isOn: boolean

  /** @throws {InvalidOptionError} for options of Redis that cannot be. */
  constructor(settings: AICacheSettings) {
    this.#settings = settings
    this.#isOn = settings.enabled
    this.#families = openFamilies(settings.sizes)
    const { redis } = settings
    this.#sharing = redis === undefined ? undefined : new Sharing(redis, this.#families, (error) => this.#report(error))
    if (!this.#isOn) return
    this.#maintenance = setInterval(() => this.maintain(), MAINTENANCE_MS)
    this.#maintenance.unref()
  }

  get ready(): Promise<void> {
    return this.#sharing?.ready ?? Promise.resolve()
  }

  /** From memory. What is not there is looked for in the background. */
  get(name: FamilyName, key: string): unknown {
    const located = this.#locate(key)
    if (located === undefined) return null
    const value = this.#families[name].get(located)
    if (value === null && this.#families[name].peek(located) === undefined) this.#sharing?.miss(name, located)
    return value
  }

  /** From memory, or else from Redis. */
  async read(name: FamilyName, key: string): Promise<unknown> {
    const located = this.#locate(key)
    if (located === undefined) return null
    const family = this.#families[name]
    const fetched = family.peek(located) === undefined ? await this.#sharing?.read(name, located) : undefined
    return family.get(located, fetched)
  }

  /** Here at once. Resolves when Redis has it, or is known to be away. */
  set(name: FamilyName, key: string, value: unknown, ttlMinutes: number | undefined): Promise<unknown> {
    const located = this.#locate(key)
    if (located === undefined || !this.#isCacheable(value, name)) return Promise.resolve()
    const ttlMs = (numberOf(ttlMinutes) || this.#settings.minutes[name]) * MINUTE
    const written = this.#sharing?.write(name, located, value, ttlMs)
    this.#families[name].set(located, value, ttlMs, written?.version)
    return written?.told ?? Promise.resolve()
  }

  async invalidateUser(user: string): Promise<void> {
    this.#families.recommendation.deleteUser(user)
    this.#families.analytics.deleteUser(user)
    await Promise.all([this.#sharing?.invalidateUser('recommendation', user), this.#sharing?.invalidateUser('analytics', user)])
  }

  async invalidateSearch(pattern: string | undefined): Promise<void> {
    const { search } = this.#families
    // What is no text is no pattern either, and what is no pattern matches everything.
    if (typeof pattern !== 'string') {
      search.clear()
      await this.#sharing?.invalidateAll('search')
    } else {
      search.deleteWhere(matcherOf(pattern))
      await this.#sharing?.invalidatePattern('search', pattern)
    }
  }

  async clear(): Promise<void> {
    const families = Object.entries(this.#families) as [FamilyName, Families[FamilyName]][]
    for (const [, family] of families) {
      family.clear()
      family.resetCounters()
    }
    await Promise.all(families.map(([name]) => this.#sharing?.invalidateAll(name)))
  }

  stats(): AICacheStats {
    const { search, recommendation, analytics, chat } = this.#families
    return { search: search.stats(), recommendation: recommendation.stats(), analytics: analytics.stats(), chat: chat.stats() }
  }

  hitRatio(name: FamilyName): number {
    return typeof name === 'string' && Object.hasOwn(this.#families, name) ? this.#families[name].hitRatio : 0
  }

  maintain(): void {
    const parts = Object.entries(this.stats()).map(([name, { hits, misses, size, maxSize }]) => `${name} ${size}/${maxSize}, ${hits} hits, ${misses} misses`)
    try {
      this.#settings.logger.info?.(`AI cache: ${parts.join('; ')}`)
    } catch {
      // A logger that fails has nobody left to tell.
    }
  }

  normalized(context: unknown): unknown {
    const { normalizeContext } = this.#settings
    return context && normalizeContext !== undefined ? normalizeContext(context) : context
  }

  async load(): Promise<void> {
    await this.#sharing?.load()
  }

  async flush(): Promise<void> {
    await this.#sharing?.flush()
  }

  /** As good as disabled from now on. */
  async close(): Promise<void> {
    this.#isOn = false
    clearInterval(this.#maintenance)
    await this.#sharing?.close()
    for (const family of Object.values(this.#families)) family.clear()
  }

  /** Where a key is for whoever asks; `undefined` when nothing is cached, or nobody can say who asks. */
  #locate(key: string): string | undefined {
    if (!this.#isOn) return undefined
    try {
      return scopedKey(this.#scope(), textOf(key))
    } catch (error) {
      this.#report(error)
      return undefined
    }
  }

  /** Who asks. An object is refused: as text it would be the same for everybody. */
  #scope(): string {
    const scope: unknown = this.#settings.scope?.() ?? ''
    if (typeof scope === 'string' || typeof scope === 'number') return String(scope)
    throw new InvalidOptionError('scope must give a string, a number or undefined')
  }

  #isCacheable(value: unknown, name: FamilyName): boolean {
    const { isCacheable } = this.#settings
    try {
      return isCacheable === undefined || isCacheable(value, name)
    } catch (error) {
      this.#report(error)
      return false
    }
  }

  #report(error: unknown): void {
    try {
      this.#settings.logger.warn?.({ err: error }, 'tiercel: an error of the AI cache that no caller was told of')
    } catch {
      // As above.
    }
  }
}

/** The original computes with whatever it is given. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : 0
}
