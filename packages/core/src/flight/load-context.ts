import { InvalidArgumentError, NothingStaleError } from '../errors/index.js'
import { checkTag, checkTagCount, checkTags, toMs, type Duration } from '../options/index.js'

/** The previous value of a key, for a loader that can ask its source whether it is still good. */
export interface StaleValue {
  readonly value: unknown
  /** What `ctx.etag` was given when the value was loaded. */
  readonly etag: string | undefined
}

const MAX_ETAG_LENGTH = 1024

/** What a loader is given: the previous value, a signal, and a say in how its result is kept. */
export class LoadContext {
  readonly #signal: () => AbortSignal
  readonly #tagsOfCall: number
  /** The previous value if there still is one, though not fresh any more: to renew it, or to build on it. */
  readonly stale: StaleValue | undefined

  /** @internal What the loader decided. */
  readonly decision: LoadDecision = { etag: undefined, notModified: false, skipped: false, ttl: undefined, grace: undefined, tags: [], rooms: [] }

  /** @internal */
  constructor(stale: StaleValue | undefined, signal: () => AbortSignal, tagsOfCall: number) {
    this.stale = stale
    this.#signal = signal
    this.#tagsOfCall = tagsOfCall
  }

  /** Aborted when nobody waits for the load any more, or the cache is closed. Give it to `fetch` or the database. */
  get signal(): AbortSignal {
    return this.#signal()
  }

  /** Keeps a validator with the value, given back as `ctx.stale.etag` at the next load. At most 1024 characters. */
  etag(etag: string): void {
    if (typeof etag !== 'string' || etag.length > MAX_ETAG_LENGTH || !etag.isWellFormed()) {
      throw new InvalidArgumentError(`An etag is a string of at most ${MAX_ETAG_LENGTH} well-formed characters`)
    }
    this.decision.etag = etag
  }

  /**
   * The previous value is still good: it is kept for another TTL, with its etag unless a new one is given. Returns it: `return ctx.notModified()`.
   *
   * @throws {NothingStaleError} when there is no previous value; look at `ctx.stale` first.
   */
  notModified(): never {
    if (this.stale === undefined) throw new NothingStaleError('ctx.notModified() was called and there is no previous value to renew: check ctx.stale first')
    this.decision.notModified = true
    // Typed as what fits every loader, since the type of the context must not decide that of the result.
    return this.stale.value as never
  }

  /** Serves the result and does not keep it: `return ctx.skip(value)`. */
  skip(): void
  skip<V>(value: V): V
  skip<V>(value?: V): V | undefined {
    this.decision.skipped = true
    return value
  }

  /** The TTL of this result, in place of the call's. `0` does not keep it, unless `ctx.grace` does. */
  ttl(ttl: Duration): void {
    this.decision.ttl = toMs(ttl, 'ttl')
  }

  /**
   * The grace of this result, in place of the call's. With `ctx.ttl(0)` the result is kept though it is never fresh: to serve as grace, and as `ctx.stale` of
   * the next load.
   */
  grace(grace: Duration): void {
    this.decision.grace = toMs(grace, 'grace')
  }

  /** More tags for this result, beside those of the call. */
  tags(...tags: readonly (string | readonly string[])[]): void {
    const flat = tags.flat()
    checkTags(flat)
    this.#checkCount(flat.length)
    this.decision.tags.push(...flat)
  }

  /** A room for this result, beside that of the call. */
  room(room: string): void {
    checkTag(room, 'room')
    this.#checkCount(1)
    this.decision.rooms.push(room)
  }

  #checkCount(more: number): void {
    checkTagCount(more + this.#tagsOfCall + this.decision.tags.length + this.decision.rooms.length)
  }
}

export interface LoadDecision {
  etag: string | undefined
  notModified: boolean
  skipped: boolean
  ttl: number | undefined
  grace: number | undefined
  readonly tags: string[]
  readonly rooms: string[]
}

/** Gives the value of a key that is not cached. `undefined` means there is none, and is not kept; `null` is a value. */
export type Loader<T> = (ctx: LoadContext) => T | PromiseLike<T>
