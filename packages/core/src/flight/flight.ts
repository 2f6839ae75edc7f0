import type { Fence } from '../coherence/index.js'
import { LoadTimeoutError } from '../errors/index.js'
import type { Entry } from '../memory/index.js'
import type { Budget, Lease } from '../redis/index.js'

/** What a load came to. */
export interface Landing {
  readonly value: unknown
  /** Ids of the tags and rooms that only the loader named. */
  readonly lateIds: readonly string[]
  readonly isFromRedis?: boolean
}

/** How long a load that nobody waits for may run before its signal is aborted and its key is free again. */
const UNATTENDED_MS = 30_000

/**
 * One load of one key, and those who wait for it.
 *
 * Waiters come and go: some are served something stale after a while, some give up. The load goes on without them, so
 * that its value is there for the next call; but not for ever, since a loader that hangs would block its key.
 */
export class Flight {
  promise!: Promise<Landing>
  #controller: AbortController | undefined
  #waiters = 0
  #wantedUnattended: boolean
  #limit: NodeJS.Timeout | undefined
  #ended = false
  failureReported = false
  /** Everybody who wanted it has given up: that it fails is no news. */
  isGivenUp = false
  /** Whether its value is kept, in Redis or in memory. */
  isStored = false
  /** Whether it came to something that is not to be kept: whoever waits for that waits in vain. */
  keepsNothing = false
  /** Whether an entry in memory has taken over the tokens. Set with the entry and not later: we may end in between. */
  tokensTaken = false
  /** The right to store in Redis, while we have it. */
  lease: Lease | undefined
  /** What is left of the time Redis may take. */
  budget: Budget | undefined
  /** Whether Redis has anything under the key. */
  isInRedis = false
  /** Where it is among all that have not landed. */
  place = 0
  /** What was found in Redis of the key, if memory had nothing: not fresh, but it may serve as grace. */
  previous: Entry | undefined

  constructor(
    readonly fence: Fence,
    /** Whether its value is going to be kept. */
    readonly stores: boolean,
    /** Whether it was started for the sake of later calls: nobody waits for it. */
    readonly background: boolean,
    /** Called once it is certain that the value has to be loaded. */
    readonly onMiss: (() => void) | undefined,
    /** Gives back what the flight holds. */
    private readonly onEnd: (flight: Flight) => void,
  ) {
    this.#wantedUnattended = background
  }

  /** Takes what runs from here on. It can be joined before that, even by the loader. */
  start(promise: Promise<Landing>): void {
    this.promise = promise
    if (!this.background) return
    // Nobody waits who would be told.
    promise.catch(() => {})
    this.#startLimit()
  }

  /** Made when first asked for: most loaders never do. */
  signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  /** Whether anybody waits. */
  get attended(): boolean {
    return this.#waiters > 0
  }

  join(): void {
    this.#waiters++
  }

  /** @param because `'gave-up'` when the waiter needs no value any more, now or later. */
  leave(because: 'landed' | 'out-of-time' | 'gave-up'): void {
    this.#waiters--
    if (this.#ended) return
    if (because === 'out-of-time') this.#wantedUnattended = true
    if (this.#waiters > 0) return
    if (this.#wantedUnattended) this.#startLimit()
    else this.#giveUp(new DOMException('Everybody who waited for the load has given up', 'AbortError'))
  }

  /** Once, at the latest when the load settles. A load that was given up may never do that. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#limit)
    this.onEnd(this)
  }

  #giveUp(reason: unknown): void {
    this.isGivenUp = true
    this.abort(reason)
    this.end()
  }

  /** Whoever still waits gets what the loader makes of it; nothing is kept, and nobody joins any more. */
  abort(reason: unknown): void {
    this.fence.broken = true
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }

  // It is not stopped when somebody joins: then a loader that hangs would be joined again and again.
  #startLimit(): void {
    if (this.#limit !== undefined) return
    this.#limit = setTimeout(() => {
      this.fence.broken = true
      if (this.#waiters === 0) this.#giveUp(new LoadTimeoutError(`The load was given up after ${UNATTENDED_MS / 1000} s without anybody waiting for it`))
      else this.#wantedUnattended = false
    }, UNATTENDED_MS)
    this.#limit.unref()
  }
}
