import { ClosedError, RedisRefusedError, RedisUnavailableError } from '../errors/index.js'
import type { RedisConnection } from './clients/index.js'

/**
 * `connecting` until the first connection, `up` while Redis answers, `outage` while it does not: nothing is asked of it then.
 */
export type RedisState = 'connecting' | 'up' | 'outage' | 'closed'

export interface BreakerSettings {
  readonly connection: RedisConnection
  /** How long the first connection is waited for. From then on it is an outage like any other. */
  readonly firstWaitMs: number
  /** Sees to it that Redis can be used again. Tried until it resolves. */
  recover(): Promise<void>
  /** Whether there is something left to recover. Asked last, with nothing waited for between the answer and the end of the outage. */
  isBehind?(): boolean
  onState(state: RedisState): void
  onError(error: unknown): void
}

/** So many failures in a row make an outage. */
const FAILURES_OF_AN_OUTAGE = 3
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 500
/** How often we look whether there is a connection again. */
const LOOK_MS = 50
/** As long as there is none there is nothing to try. That is a hint and may be wrong, so it is not believed for longer. */
const BELIEVED_MS = 1000

/** Decides whether Redis is asked: calls do not wait for a server that does not answer, one after the other. */
export class Breaker {
  /** Resolves with the first connection or the first deadline. */
  readonly ready: Promise<void>
  readonly #settings: BreakerSettings
  readonly #endFirstWait: () => void
  readonly #firstTimer: NodeJS.Timeout
  #state: RedisState = 'connecting'
  #failures = 0
  #retry: NodeJS.Timeout | undefined
  #retryMs = FIRST_RETRY_MS

  constructor(settings: BreakerSettings) {
    this.#settings = settings
    let endFirstWait = () => {}
    this.ready = new Promise((resolve) => (endFirstWait = resolve))
    this.#endFirstWait = endFirstWait
    this.#firstTimer = setTimeout(() => {
      this.#move('outage')
      endFirstWait()
    }, settings.firstWaitMs)
  }

  get state(): RedisState {
    return this.#state
  }

  /** Once, when all that `recover` uses is there. */
  start(): void {
    this.#recoverIn(0)
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** Something asked of Redis came to nothing. */
  failed(error: unknown): void {
    this.#settings.onError(error)
    if (isOurOwn(error)) return
    if (++this.#failures >= FAILURES_OF_AN_OUTAGE || isFatal(error)) this.trip()
  }

  /** Begins an outage at once. */
  trip(): void {
    if (this.#state !== 'up') return
    this.#move('outage')
    this.#retryMs = FIRST_RETRY_MS
    // The connection may be half-open, and then would take all questions and answer none.
    this.#settings.connection.recycle()
    this.#retryLater()
  }

  close(): void {
    this.#move('closed')
    clearTimeout(this.#retry)
    clearTimeout(this.#firstTimer)
    this.#endFirstWait()
  }

  async #recover(): Promise<void> {
    try {
      do await this.#settings.recover()
      while (this.#settings.isBehind?.())
    } catch (error) {
      if (this.#state === 'closed') return
      this.#settings.onError(error)
      // One that was made meanwhile may be half-open as well.
      this.#settings.connection.recycleSilent()
      this.#retryLater()
      return
    }
    if (this.#state === 'closed') return
    this.#failures = 0
    this.#retryMs = FIRST_RETRY_MS
    this.#move('up')
    clearTimeout(this.#firstTimer)
    this.#endFirstWait()
  }

  #retryLater(): void {
    // Half of it at random: all processes have lost the same server.
    this.#recoverIn(this.#retryMs * (0.5 + Math.random() / 2))
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
  }

  /** After so long, or as soon as there is a connection where there was none. */
  #recoverIn(ms: number): void {
    const { connection } = this.#settings
    let wasUp = connection.isUp
    const dueAt = performance.now() + (wasUp ? ms : Math.max(ms, BELIEVED_MS))
    const look = () => {
      const leftMs = dueAt - performance.now()
      const { isUp } = connection
      if (leftMs <= 0 || (isUp && !wasUp)) return void this.#recover()
      wasUp = isUp
      this.#retry = setTimeout(look, Math.min(LOOK_MS, leftMs)).unref()
    }
    look()
  }

  #move(state: RedisState): void {
    this.#state = state
    this.#settings.onState(state)
  }
}

/** There is no server to ask, or one that was made a replica: it goes on to answer reads, and nobody tells it any more what to forget. */
function isFatal(error: unknown): boolean {
  return error instanceof RedisUnavailableError || (error instanceof RedisRefusedError && error.reply === 'readonly')
}

/** Errors of a call that say nothing about whether Redis works. */
function isOurOwn(error: unknown): boolean {
  return error instanceof ClosedError || (error instanceof RedisRefusedError && (error.reply === 'oom' || error.reply === 'wrongtype'))
}
