import { hasHeardAll } from '@tiercel/core/connection'
import { matcherOf } from '../families/index.js'
import type { Certainty } from './certainty.js'
import type { InvalidationCount } from './invalidation-count.js'
import { countLabel, patternLabel, userLabel } from './labels.js'
import { Outcome } from './outcome.js'
import type { Report } from './report.js'
import type { Space } from './space.js'

/** More names than these, untold, become "everything". */
const MOST_OWED = 1000
const MOST_COUNTS = 16
const RETRY_MS = 100

/** One of the three. */
export interface Invalidation {
  readonly all?: true
  readonly user?: string
  readonly pattern?: string
}

/** Invalidations that are told together. */
class Telling {
  all = false
  readonly users = new Set<string>()
  readonly patterns = new Set<string>()
  /** What the counter was raised to for them: at each try. */
  readonly counts: string[] = []
  readonly outcome = new Outcome()

  add({ all, user, pattern }: Invalidation): void {
    if (user !== undefined) this.users.add(user)
    if (pattern !== undefined) this.patterns.add(pattern)
    this.all ||= all === true || this.users.size + this.patterns.size > MOST_OWED
    if (!this.all) return
    this.users.clear()
    this.patterns.clear()
  }

  counted(count: string): void {
    this.counts.push(count)
    if (this.counts.length > MOST_COUNTS) this.counts.shift()
  }

  get tags(): string[] {
    return [...this.counts.map(countLabel), ...Array.from(this.users, userLabel), ...Array.from(this.patterns, patternLabel)]
  }
}

export interface TellerContext {
  readonly certainty: Certainty
  readonly count: InvalidationCount
  readonly report: Report
  /** Everything was told, or what is left cannot be for now. */
  onEnd(isAllTold: boolean): void
}

/** Tells Redis and other processes what was invalidated here in one family: what comes while something is being told is told together, after it. */
export class Teller {
  readonly #space: Space
  readonly #context: TellerContext
  #first: Telling | undefined
  #next: Telling | undefined
  #telling: Promise<boolean> | undefined

  constructor(space: Space, context: TellerContext) {
    this.#space = space
    this.#context = context
  }

  /** Nothing is left to be told. */
  get isEmpty(): boolean {
    return this.#first === undefined && this.#next === undefined
  }

  /** What somebody may wait for. */
  get outcomes(): readonly Promise<void>[] {
    return [this.#first, this.#next].flatMap((telling) => telling?.outcome.promise ?? [])
  }

  /** Ends with the telling that is under way, if there is one. */
  get underWay(): Promise<unknown> {
    return this.#telling ?? Promise.resolve()
  }

  /** Resolves when it was told, or cannot be for now. */
  async tell(invalidation: Invalidation): Promise<void> {
    const telling = (this.#next ??= new Telling())
    telling.add(invalidation)
    await this.#context.certainty.whenSure(() => {
      void this.tellAll()
      return telling.outcome.promise
    })
  }

  /** Resolves to whether everything was told. */
  tellAll(): Promise<boolean> {
    this.#telling ??= this.#tellEach().finally(() => {
      this.#telling = undefined
      // It came after the last look.
      if (this.#first === undefined && this.#next !== undefined && this.#context.certainty.isSure) void this.tellAll()
    })
    return this.#telling
  }

  /** Nobody is to wait for what cannot be told for now. */
  release(): void {
    this.#first?.outcome.release()
    this.#next?.outcome.release()
  }

  async #tellEach(): Promise<boolean> {
    const { certainty, report, onEnd } = this.#context
    for (let telling = this.#takeNext(); telling !== undefined; telling = this.#takeNext()) {
      try {
        await this.#tell(telling)
      } catch (error) {
        report(error)
        // While that is not certain, making sure is going to come back to it.
        if (certainty.isSure) setTimeout(() => void this.tellAll(), RETRY_MS).unref()
        onEnd(false)
        return false
      }
      this.#first = undefined
      telling.outcome.settle()
    }
    onEnd(true)
    return true
  }

  /** Until it was told, it stays the first. */
  #takeNext(): Telling | undefined {
    if (this.#first === undefined) {
      this.#first = this.#next
      this.#next = undefined
    }
    return this.#first
  }

  async #tell(telling: Telling): Promise<void> {
    const { count } = this.#context
    const { cache } = this.#space
    telling.counted(await count.next())
    const { all, tags, patterns } = telling
    const { durable } = await cache.invalidate({ all, tags })
    if (!durable) throw new Error('An invalidation could not be told; it is told again')
    if (patterns.size > 0) await this.#sweep([...patterns])
    // A value from before it may still be on its way here.
    if (!(await hasHeardAll(cache))) throw new Error('It is not certain that everything from before an invalidation was heard; it is told again')
    for (const each of telling.counts) count.heard(each)
  }

  /** All have been told by now: whoever stores a key that matches does so after the invalidation, or has it in the index. */
  async #sweep(patterns: readonly string[]): Promise<void> {
    const { newest, cache } = this.#space
    const named = await newest.listAll()
    // An index that is gone names nothing that there may be.
    if (named.length === 0) return this.#space.emptyRedis()
    const matchers = patterns.map(matcherOf)
    const matching = named.filter((key) => matchers.some((matches) => matches(key)))
    if (matching.length > 0 && !(await cache.deleteMany(matching)).durable) throw new Error('A pattern could not be swept; it is swept again')
  }
}
