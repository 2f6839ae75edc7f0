import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ClosedError, type ConnectionStatus, InvalidArgumentError, InvalidOptionError, LockTimeoutError } from '@tiercel/core'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { encodeId } from '../backend/names.js'
import type { Keyspace } from '../keyspace/keyspace.js'
import { MemoryKeyspace } from '../keyspace/memory-keyspace.js'
import { Claim } from './claim.js'
import { Lock } from './lock.js'
import { type LockOptions, lockSettings, type LockSettings } from './lock-options.js'

/** Of all locks that are for this process only. */
const ofProcess = new MemoryKeyspace()

const SHORTEST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 100

export interface LocksOptions extends LockOptions {
  /**
   * For whom the locks are: `'shared'` by all processes on one Redis, or for this `'process'` only, in its memory, whatever Redis there is. Nothing changes from one to the
   * other by itself. Default `'shared'`.
   */
  readonly scope?: 'shared' | 'process'
}

export interface AcquireOptions extends LockOptions {
  /** Aborted to give up waiting: the call then rejects with its reason. */
  readonly signal?: AbortSignal
}

export interface LocksStats {
  /** Now. */
  readonly held: number
  /** Now. */
  readonly waiting: number
  /** How often since the beginning, as all that follow. */
  readonly acquired: number
  readonly released: number
  /** Ended before they were released. */
  readonly lost: number
  /** Given up because somebody else had the lock for longer than `wait`. */
  readonly timedOut: number
  /** Tries that Redis did not answer, or refused. */
  readonly failed: number
}

export interface LocksHealth {
  readonly healthy: boolean
  readonly scope: 'shared' | 'process'
  /** `undefined`: they are in the memory of this process. */
  readonly redis: ConnectionStatus | undefined
}

/**
 * Locks by name, of which one is held by one holder at a time, over all processes on one Redis. Without an answer of Redis there is no lock: `acquire` rejects while it is
 * away, and what is held is lost when its time is over. See {@link Lock} for what a lock can promise and what it cannot.
 */
export class Locks {
  readonly #scope: 'shared' | 'process'
  readonly #chosen: ChosenBackend | undefined
  readonly #keyspace: Keyspace
  readonly #prefix: string
  readonly #defaults: LockOptions
  readonly #held = new Set<Lock>()
  readonly #counts = { waiting: 0, acquired: 0, released: 0, lost: 0, timedOut: 0, failed: 0 }
  readonly #unhook: (() => void) | undefined
  #isClosed = false

  constructor({ scope = 'shared', ttl, wait, autoExtend, ...choice }: LocksOptions & BackendChoice = {}) {
    if (scope !== 'shared' && scope !== 'process') throw new InvalidOptionError(`scope is 'shared' or 'process'`)
    this.#scope = scope
    this.#defaults = given({ ttl, wait, autoExtend })
    lockSettings(this.#defaults)
    this.#chosen = scope === 'shared' ? chooseBackend(choice) : undefined
    const backend = this.#chosen?.backend
    if (backend !== undefined && backend.link === undefined) {
      throw new InvalidOptionError(`No Redis is configured, so other processes would not know of a lock. If it is for this process only, say scope: 'process'`)
    }
    this.#keyspace = backend?.keyspace ?? ofProcess
    this.#prefix = backend?.prefix ?? choice.backend?.prefix ?? choice.prefix ?? ''
    this.#unhook = backend?.beforeClose(() => this.close())
  }

  /**
   * Waits until the lock is free and takes it.
   *
   * @throws {LockTimeoutError} when somebody else has it for longer than `wait`; a {@link RedisError} at once when Redis does not answer or refuses; the reason of `signal`.
   * @example
   * await using lock = await locks.acquire('report:1', { wait: '2s' })
   * await store.write(report, { fence: lock.fence })
   */
  async acquire(name: string, { signal, ...options }: AcquireOptions = {}): Promise<Lock> {
    const key = `${this.#prefix}lock:${encodeId(name, 'name of the lock')}`
    const settings = lockSettings({ ...this.#defaults, ...given(options) })
    const giveUpAt = performance.now() + settings.waitMs
    this.#counts.waiting++
    try {
      for (let tries = 0; ; tries++) {
        this.#check(signal)
        const lock = await this.#try(name, key, settings)
        if (signal?.aborted === true || this.#isClosed) await lock?.release()
        this.#check(signal)
        if (lock !== undefined) return lock
        const left = giveUpAt - performance.now()
        if (left <= 0) {
          this.#counts.timedOut++
          throw new LockTimeoutError(`Somebody else had the lock for longer than ${settings.waitMs} ms`)
        }
        await pauseFor(Math.min(left, pauseAfter(tries)), signal)
      }
    } finally {
      this.#counts.waiting--
    }
  }

  /**
   * Runs `work` while the lock is held, and gives what it gives. `work` should stop when `lock.signal` is aborted.
   *
   * @throws {LockLostError} when the lock was lost before `work` was done, whatever it gave: somebody else may have been at it too. Else what `acquire` and `work` throw.
   * @example
   * await locks.withLock('nightly-report', async ({ signal }) => makeReport({ signal }))
   */
  async withLock<Result>(name: string, work: (lock: Lock) => Result | Promise<Result>, options: AcquireOptions = {}): Promise<Result> {
    if (typeof work !== 'function') throw new InvalidArgumentError('withLock needs a function that is run while the lock is held')
    const lock = await this.acquire(name, options)
    try {
      const result = await work(lock)
      await lock.release()
      lock.signal.throwIfAborted()
      return result
    } finally {
      await lock.release()
    }
  }

  /** Counts of this object, and of this process only. */
  stats(): LocksStats {
    return { held: this.#held.size, ...this.#counts }
  }

  /** Whether locks can be had. Does not ask Redis. */
  health(): LocksHealth {
    const backend = this.#chosen?.backend
    return { healthy: !this.#isClosed && backend?.isAway !== true, scope: this.#scope, redis: backend?.getConnectionStatus() }
  }

  /** Releases what is held, and rejects those who wait with `TIERCEL_CLOSED`. Closes the backend only if it is its own. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unhook?.()
    await Promise.all(Array.from(this.#held, (lock) => lock.release()))
    await this.#chosen?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #try(name: string, key: string, { ttlMs, autoExtend }: LockSettings): Promise<Lock | undefined> {
    const claim = new Claim(this.#keyspace, key, randomUUID())
    const askedAt = performance.now()
    let fence: number
    try {
      fence = await claim.acquire(ttlMs)
    } catch (error) {
      this.#counts.failed++
      // It may have been done all the same, and then nobody would have it for its whole time.
      void claim.withdraw()
      throw error
    }
    if (fence === 0) return undefined
    const end = {
      onLost: () => this.#ended(lock, 'lost'),
      onReleased: () => this.#ended(lock, 'released'),
    }
    const lock: Lock = new Lock(name, fence, { claim, askedAt, ttlMs, autoExtend, end })
    this.#held.add(lock)
    this.#counts.acquired++
    if (lock.isHeld) return lock
    // The answer took as long as the lock lives.
    void claim.withdraw()
    return undefined
  }

  #ended(lock: Lock, how: 'lost' | 'released'): void {
    this.#counts[how]++
    this.#held.delete(lock)
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#isClosed) throw new ClosedError('The locks were closed')
  }
}

/** Those who wait do not ask at the same moments. */
function pauseAfter(tries: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(tries, 10))
  return SHORTEST_PAUSE_MS + Math.random() * longest
}

/** Ends early when it is given up: what follows looks at that. */
async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(ms, undefined, { ...(signal === undefined ? {} : { signal }), ref: false }).catch(() => {})
}

/** What is `undefined` was not given. */
function given(options: { readonly [Name in keyof LockOptions]: LockOptions[Name] | undefined }): LockOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/**
 * @throws {InvalidOptionError} also when no Redis is configured and `scope` is not `'process'`.
 * @example
 * const locks = createLocks({ redis: 'redis://localhost:6379', ttl: '10s' })
 * await locks.withLock('nightly-report', ({ fence }) => makeReport(fence))
 */
export function createLocks(options: LocksOptions & BackendChoice = {}): Locks {
  return new Locks(options)
}
