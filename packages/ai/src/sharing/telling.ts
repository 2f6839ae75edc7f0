import { hasHeardAll } from '@tiercel/core/connection'
import { matcherOf } from '../families/index.js'
import type { Certainty } from './certainty.js'
import type { InvalidationCount } from './invalidation-count.js'
import { countLabel, patternLabel, userLabel } from './labels.js'
import { Outcome } from './outcome.js'
import type { Report } from './report.js'
import type { Space } from './space.js'

/** More invalidations than these, untold, become "everything". */
const MOST_OWED = 1000
const MOST_COUNTS = 16
const RETRY_MS = 100

/** One of the three. */
export interface Invalidation {
  readonly all?: boolean
  readonly user?: string
  readonly pattern?: string
}

/** An invalidation that others have not been told of. */
interface Telling extends Invalidation {
  readonly space: Space
  /** What the counter was raised to for it: at each try. */
  readonly counts: string[]
  readonly outcome: Outcome
}

export interface TellingsContext {
  readonly certainty: Certainty
  readonly count: InvalidationCount
  readonly report: Report
  spaces(): readonly Space[]
  /** Everything was told, or what is left cannot be for now. */
  onEnd(isAllTold: boolean): void
}

/** What Redis and other processes have to be told of invalidations that were made here, in the order in which they were made. */
export class Tellings {
  readonly #context: TellingsContext
  #owed: Telling[] = []
  #telling: Promise<boolean> | undefined

  constructor(context: TellingsContext) {
    this.#context = context
  }

  get isEmpty(): boolean {
    return this.#owed.length === 0
  }

  /** Those that somebody may wait for. */
  get outcomes(): readonly Promise<void>[] {
    return this.#owed.map(({ outcome }) => outcome.promise)
  }

  /** Ends with the telling that is under way, if there is one. */
  get underWay(): Promise<unknown> {
    return this.#telling ?? Promise.resolve()
  }

  /** Resolves when it was told, or cannot be for now. */
  async tell(space: Space, what: Invalidation): Promise<void> {
    const telling: Telling = { space, ...what, counts: [], outcome: new Outcome() }
    this.#owed.push(telling)
    if (this.#owed.length > MOST_OWED) this.#oweEverything()
    await this.#context.certainty.whenSure(() => {
      void this.tellAll()
      return telling.outcome.promise
    })
  }

  /** Tells everything that is owed. Resolves to whether all of it was told. */
  tellAll(): Promise<boolean> {
    this.#telling ??= this.#tellEach().finally(() => (this.#telling = undefined))
    return this.#telling
  }

  /** Nobody is to wait for what cannot be told for now. */
  release(): void {
    for (const { outcome } of this.#owed) outcome.release()
  }

  #oweEverything(): void {
    for (const { outcome } of this.#owed) outcome.settle()
    this.#owed = this.#context.spaces().map((space) => ({ space, all: true, counts: [], outcome: new Outcome() }))
  }

  async #tellEach(): Promise<boolean> {
    const { certainty, report, onEnd } = this.#context
    for (let next = this.#owed[0]; next !== undefined; next = this.#owed[0]) {
      try {
        await this.#tellOne(next)
      } catch (error) {
        report(error)
        // While that is not certain, making sure is going to come back to it.
        if (certainty.isSure) setTimeout(() => void this.tellAll(), RETRY_MS).unref()
        onEnd(false)
        return false
      }
      if (this.#owed[0] === next) this.#owed.shift()
      next.outcome.settle()
    }
    onEnd(true)
    return true
  }

  async #tellOne({ space, all = false, user, pattern, counts }: Telling): Promise<void> {
    const { count } = this.#context
    counts.push(await count.next())
    if (counts.length > MOST_COUNTS) counts.shift()
    const tags = counts.map(countLabel)
    if (user !== undefined) tags.push(userLabel(user))
    if (pattern !== undefined) tags.push(patternLabel(pattern))
    const { durable } = await space.cache.invalidate({ all, tags })
    if (!durable) throw new Error('An invalidation could not be told; it is told again')
    if (pattern !== undefined) await sweep(space, pattern)
    // A value from before it may still be on its way here.
    if (!(await hasHeardAll(space.cache))) throw new Error('It is not certain that everything from before an invalidation was heard; it is told again')
    for (const each of counts) count.heard(each)
  }
}

/** All have been told by now: whoever stores a key that matches does so after the invalidation, or has it in the index. */
async function sweep(space: Space, pattern: string): Promise<void> {
  const named = await space.newest.listAll()
  // An index that is gone names nothing that there may be.
  if (named.length === 0) return space.emptyRedis()
  const matching = named.filter(matcherOf(pattern))
  if (matching.length > 0 && !(await space.cache.deleteMany(matching)).durable) throw new Error('A pattern could not be swept; it is swept again')
}
