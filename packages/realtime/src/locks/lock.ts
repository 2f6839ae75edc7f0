import { type Duration, LockLostError } from '@tiercel/core'
import { ttlOf } from './lock-options.js'
import type { Claim } from './claim.js'

/** Of a time to live, so much is not relied on: the clocks of two machines do not run at the same speed. */
const DRIFT = 0.01
const DRIFT_MS = 2
/** An extension that failed is tried again so soon, at the latest. */
const RETRY_MS = 500

/** What became of a lock, for those who count. */
export interface LockEnd {
  onLost(): void
  onReleased(): void
}

/**
 * A lock that is held, until it is released or lost. It is lost when it was not extended in time, by the monotonic clock of this process counted from before Redis was
 * asked, so that this process knows of it before anybody else can have it; and when Redis does not know of it any more.
 *
 * A process can be stopped between a look at `isHeld` and what it does next. What must not be done twice is done with the `fence`, by something that refuses a lower one
 * than it has seen.
 */
export class Lock {
  readonly name: string
  /** Greater than that of everybody who held this lock before, also after Redis has lost its data. A whole number below 2^53. */
  readonly fence: number
  readonly #claim: Claim
  readonly #end: LockEnd
  readonly #lost = new AbortController()
  readonly #extendsItself: boolean
  #ttlMs: number
  #validUntil: number
  #isOver = false
  #loss: NodeJS.Timeout | undefined
  #renewal: NodeJS.Timeout | undefined

  /** @internal */
  constructor(name: string, fence: number, { claim, askedAt, ttlMs, autoExtend, end }: { claim: Claim; askedAt: number; ttlMs: number; autoExtend: boolean; end: LockEnd }) {
    this.name = name
    this.fence = fence
    this.#claim = claim
    this.#end = end
    this.#ttlMs = ttlMs
    this.#extendsItself = autoExtend
    this.#validUntil = 0
    this.#holdFrom(askedAt)
    this.#renewIn(ttlMs / 3)
  }

  /** Aborted when the lock is lost, with a {@link LockLostError} as the reason. Not when it is released. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** Whether it is held at this moment. Looks at the clock, so that it is right also when no timer could fire. */
  get isHeld(): boolean {
    if (!this.#isOver && performance.now() >= this.#validUntil) this.#lose('It was not extended in time')
    return !this.#isOver
  }

  /**
   * From now on it is held for `ttl`, or longer if it was. Default: the `ttl` it had.
   *
   * @throws {LockLostError} when it is not held any more; a {@link RedisError} when Redis did not confirm it: then it is held until when it was.
   */
  async extend(ttl?: Duration): Promise<void> {
    if (ttl !== undefined) this.#ttlMs = ttlOf(ttl)
    if (this.isHeld) await this.#extend()
    if (this.#isOver) throw this.#lost.signal.aborted ? this.#lost.signal.reason : new LockLostError('The lock was released')
  }

  /**
   * Gives it back, if it is still held. Never rejects.
   *
   * @returns Whether it was held until now and others can have it at once. When Redis cannot be told, it is free when its time is over.
   */
  async release(): Promise<boolean> {
    if (!this.isHeld) return false
    this.#stop()
    try {
      if (await this.#claim.release()) {
        this.#end.onReleased()
        return true
      }
    } catch {
      void this.#claim.withdraw()
      this.#end.onReleased()
      return false
    }
    this.#tellLost('Redis does not know of it any more')
    return false
  }

  /** As `release`: `await using lock = await locks.acquire('report')`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  async #extend(): Promise<void> {
    const ttlMs = this.#ttlMs
    const askedAt = performance.now()
    const isOurs = await this.#claim.extend(ttlMs)
    if (this.#isOver) return
    if (isOurs) this.#holdFrom(askedAt, ttlMs)
    else this.#lose('Redis does not know of it any more')
  }

  #holdFrom(askedAt: number, ttlMs = this.#ttlMs): void {
    this.#validUntil = Math.max(this.#validUntil, askedAt + ttlMs * (1 - DRIFT) - DRIFT_MS)
    this.#lookForLoss()
  }

  #lookForLoss(): void {
    clearTimeout(this.#loss)
    // A timer may fire a moment before its time.
    const look = () => {
      if (this.isHeld) this.#lookForLoss()
    }
    this.#loss = setTimeout(look, Math.max(1, Math.ceil(this.#validUntil - performance.now())))
    this.#loss.unref()
  }

  #renewIn(ms: number): void {
    if (!this.#extendsItself) return
    this.#renewal = setTimeout(() => void this.#renew(), ms)
    this.#renewal.unref()
  }

  async #renew(): Promise<void> {
    if (!this.isHeld) return
    let next = this.#ttlMs / 3
    try {
      await this.#extend()
    } catch {
      // Until its time is over it may come right.
      next = Math.min(this.#ttlMs / 10, RETRY_MS)
    }
    if (!this.#isOver) this.#renewIn(next)
  }

  #lose(why: string): void {
    if (this.#isOver) return
    this.#stop()
    this.#tellLost(why)
  }

  #tellLost(why: string): void {
    this.#end.onLost()
    this.#lost.abort(new LockLostError(`The lock was lost. ${why}`))
  }

  #stop(): void {
    this.#isOver = true
    clearTimeout(this.#loss)
    clearTimeout(this.#renewal)
  }
}
