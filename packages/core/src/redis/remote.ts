import type { CorruptReason, EntryFormat } from '../codec/index.js'
import { Gate, Journal, piecesOf, type Change, type Mechanisms } from '../coherence/index.js'
import { ClosedError, RedisRefusedError, RedisUnavailableError } from '../errors/index.js'
import { BatchReader } from './batch-reader.js'
import { Budget } from './budget.js'
import { Bus } from './bus.js'
import type { RedisConnection } from './clients/index.js'
import { RedisEntries, type Lease } from './entries.js'
import { Heartbeat } from './heartbeat.js'
import { Invalidator } from './invalidator.js'
import { RedisNames } from './names.js'
import { RedisClock } from './redis-clock.js'
import { RunNote } from './run-note.js'
import { commitAndAnnounceScript } from './scripts.js'
import { slotsOf } from './by-slot.js'

export interface RemoteSettings {
  /** Path of the cache's first level, whose bus and run all of it shares. */
  readonly busPath: string
  readonly prefix: string
  readonly deadlineMs: number
  readonly maxStalenessMs: number
  /** During an outage memory answers for so long, in place of `maxStalenessMs`. 0 changes nothing. */
  readonly serveInOutageMs: number
  /** Whether entries survive a restart or failover of Redis. */
  readonly keepsOnFailover: boolean
  readonly serverId: string | undefined
  readonly format: EntryFormat
  readonly mechanisms: Mechanisms
}

export interface RemoteHandlers {
  /** Another process says what to forget. */
  onChange(change: Change): void
  /** Everything may be old. */
  onFlush(): void
  onError(error: unknown): void
  onCorrupt(reason: CorruptReason): void
  onForeign(): void
  onState(state: RemoteState): void
  /** Counts up with every read. */
  reads(): number
}

/**
 * `connecting` until the first connection, `up` while Redis answers, `outage` while it does not: nothing is asked of it then, and what it should be told is
 * written down.
 */
export type RemoteState = 'connecting' | 'up' | 'outage' | 'closed'

/** So many failures in a row make an outage. One that leaves an invalidation untold makes one at once. */
const FAILURES_OF_AN_OUTAGE = 3
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 1000
/** How often, and how many times in a row, we only look whether there is a connection. */
const LOOK_MS = 50
const MOST_LOOKS = 20
/** A recovery may take longer than a call may wait. */
const RECOVERY_TIMEOUT_MS = 1000

/** Redis as the rest of the cache sees it: there or not, and what it holds. */
export class Remote {
  readonly entries: RedisEntries
  readonly clock = new RedisClock()
  readonly gate: Gate
  readonly journal = new Journal()
  readonly bus: Bus
  readonly #connection: RedisConnection
  readonly #settings: RemoteSettings
  readonly #handlers: RemoteHandlers
  readonly #invalidator: Invalidator
  readonly #heartbeat: Heartbeat
  readonly #names: RedisNames
  readonly #firstDeadline: Promise<void>
  #firstTimer: NodeJS.Timeout | undefined
  #endFirstWait: () => void = () => {}
  #state: RemoteState = 'connecting'
  #failures = 0
  #retry: NodeJS.Timeout | undefined
  #retryMs = FIRST_RETRY_MS
  /** A recovery hears and is heard: what is invalidated from now on is told at once, or the journal would never be empty. */
  #isHeard = false
  #looks = 0
  #mayBeAnother = false
  #asking: Promise<boolean> | undefined

  constructor(connection: RedisConnection, settings: RemoteSettings, handlers: RemoteHandlers) {
    this.#connection = connection
    this.#settings = settings
    this.#handlers = handlers
    this.#names = new RedisNames(settings.prefix)
    const slot = slotsOf(connection)
    const { clock } = this
    const { mechanisms } = settings
    this.gate = new Gate(mechanisms.gate ? settings.maxStalenessMs : Number.POSITIVE_INFINITY)
    this.bus = new Bus(connection, this.#names.busChannel(settings.busPath), this.#names.busSequence(settings.busPath), settings.serverId, mechanisms, {
      onChange: handlers.onChange,
      onGap: handlers.onFlush,
      onForeign: handlers.onForeign,
      onLost: () => (this.#mayBeAnother = true),
    })
    this.entries = new RedisEntries({
      connection,
      names: this.#names,
      clock,
      slot,
      format: settings.format,
      reader: new BatchReader(connection, slot, settings.deadlineMs),
      onCorrupt: handlers.onCorrupt,
      mechanisms,
    })
    this.#invalidator = new Invalidator({ connection, names: this.#names, bus: this.bus, slot, mechanisms })
    const runNote = new RunNote({ connection, names: this.#names, bus: this.bus, invalidator: this.#invalidator, path: settings.busPath, onDropped: handlers.onFlush })
    this.#heartbeat = new Heartbeat({
      connection,
      bus: this.bus,
      clock,
      gate: this.gate,
      intervalMs: Math.max(10, Math.min(1000, settings.maxStalenessMs / 3)),
      timeoutMs: settings.deadlineMs,
      reads: handlers.reads,
      onGap: handlers.onFlush,
      onSuccess: () => this.succeeded(),
      onFailure: (error) => this.failed(error),
      onRun: (run) => (settings.keepsOnFailover || !mechanisms.run ? Promise.resolve() : runNote.note(run, RECOVERY_TIMEOUT_MS)),
    })
    this.#firstDeadline = new Promise((resolve) => {
      this.#endFirstWait = resolve
      this.#firstTimer = setTimeout(() => {
        // From here on it is an outage like any other.
        this.#enterOutage()
        resolve()
      }, settings.deadlineMs)
    })
    void this.#recover()
  }

  get state(): RemoteState {
    return this.#state
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  /** Resolves to whether Redis can be asked. Only before the first connection is there anything to wait for, and only until the first deadline. */
  reachable(): boolean | Promise<boolean> {
    if (this.#state === 'connecting') return this.#firstDeadline.then(() => this.reachable())
    if (this.#state !== 'up') return false
    if (this.#mayBeAnother) return this.#isSame()
    this.#heartbeat.wake()
    return true
  }

  /** After a connection broke it may be another server that answers, or one that was restarted: nothing is read before that is known. */
  #isSame(): Promise<boolean> {
    this.#asking ??= this.#heartbeat
      .ask()
      .then(
        () => {
          this.#mayBeAnother = false
          return true
        },
        (error: unknown) => {
          this.failed(error)
          return false
        },
      )
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }

  /** Somebody reads who cannot wait: let memory be confirmed for the next time. */
  wake(): void {
    this.#heartbeat.wake()
  }

  /** Resolves with the first connection or the first deadline. */
  async ready(): Promise<void> {
    await this.#firstDeadline
  }

  budget(): Budget {
    return new Budget(this.#settings.deadlineMs)
  }

  get deadlineMs(): number {
    return this.#settings.deadlineMs
  }

  /**
   * The tokens of labels that were named only after the load. They say nothing of what happened before they were read; the bus does. `undefined` when it did
   * not deliver everything up to then in time: whether one of the labels was invalidated during the load is not known.
   */
  async lateTokens(ids: readonly string[], budget: Budget): Promise<Map<string, string> | undefined> {
    const tokens = await this.entries.tokensOf(ids, budget)
    const key = this.bus.sequenceKey
    const number = await budget.spend((ms) => this.#connection.send(['GET', key], { route: key, timeoutMs: ms }))
    if (number === null) return undefined
    const delivery = await budget.spend((ms) => this.bus.sequence.deliveredUpTo(Number(String(number)), ms))
    return delivery === 'delivered' ? tokens : undefined
  }

  /** Keeps a lease while its owner loads. */
  keepAlive(lease: Lease): () => void {
    return this.entries.keepAlive(lease, this.#settings.deadlineMs)
  }

  release(lease: Lease): void {
    if (this.isUp) this.entries.release(lease, this.#settings.deadlineMs)
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** Something asked of Redis came to nothing. */
  failed(error: unknown): void {
    this.#handlers.onError(error)
    if (isOurOwn(error)) return
    if (++this.#failures >= FAILURES_OF_AN_OUTAGE || isFatal(error)) this.#beginOutage()
  }

  /** Makes Redis and all other processes forget, now or, if they cannot be told, as soon as they can. */
  async invalidate(change: Change): Promise<{ durable: boolean; remoteCount: number }> {
    if (this.#isHeard || (await this.reachable())) {
      try {
        const remoteCount = await this.#invalidator.invalidate(change, this.#settings.deadlineMs)
        return { durable: true, remoteCount }
      } catch (error) {
        this.#handlers.onError(error)
      }
    }
    this.postpone(change)
    return { durable: false, remoteCount: 0 }
  }

  /** Stores an entry if the lease is still ours, and with a change announces it. Resolves to whether it was stored. */
  async commit(lease: Lease, bytes: Buffer, lifetimeMs: number, budget: Budget, change?: Change): Promise<boolean> {
    if (change === undefined || this.#connection.kind === 'cluster') {
      const isStored = await this.entries.commit(lease, bytes, lifetimeMs, budget)
      if (isStored && change !== undefined) await this.announce(change, budget)
      return isStored
    }
    const entry = this.#names.entry(lease.path, lease.key)
    const keys = [entry, this.#names.lease(entry), this.bus.sequenceKey]
    const args = [lease.id, bytes, String(lifetimeMs), ...this.bus.announcement(change)]
    return (await budget.spend((ms) => this.#connection.run(commitAndAnnounceScript, keys, args, ms))) !== 0
  }

  /** Tells other processes only. For what is stored already: they drop what they have and read anew. */
  async announce(change: Change, budget: Budget): Promise<void> {
    for (const piece of piecesOf(change)) await budget.spend((ms) => this.bus.announce(piece, ms))
  }

  /** Redis holds something it must not serve. As long as that is so, it is not asked. */
  postpone(change: Change): void {
    if (this.#state === 'closed') return
    if (this.#settings.mechanisms.journal) this.journal.add(change, this.#settings.busPath)
    this.#beginOutage()
  }

  /** What is under way may end, within the deadline. What Redis was not told of stays untold. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#move('closed')
    this.#heartbeat.stop()
    clearTimeout(this.#retry)
    clearTimeout(this.#firstTimer)
    this.#endFirstWait()
    this.bus.close()
    await this.#connection.close(this.#settings.deadlineMs)
  }

  #enterOutage(): void {
    this.#move('outage')
    this.gate.bound = Math.max(this.gate.bound, this.#settings.serveInOutageMs)
  }

  #beginOutage(): void {
    if (this.#state !== 'up') return
    this.#enterOutage()
    this.#heartbeat.stop()
    this.#retryMs = FIRST_RETRY_MS
    // The connection may be half-open, and then would take all questions and answer none.
    this.#connection.recycle()
    this.#retryLater()
  }

  #retryLater(): void {
    // Half of it at random: all processes have lost the same server.
    this.#retry = setTimeout(() => void this.#recover(), this.#retryMs * (0.5 + Math.random() / 2))
    this.#retry.unref()
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
  }

  /**
   * Back to work, in this order: hear what others say, tell them and Redis what they missed, then forget all that was kept meanwhile. Only then is Redis asked
   * for values again. Values are never written back: somebody may have newer ones.
   */
  async #recover(): Promise<void> {
    // As long as there is no connection there is nothing to try. That is a hint and may be wrong, so it is not believed for long.
    if (!this.#connection.isUp && this.#looks++ < MOST_LOOKS) {
      this.#retry = setTimeout(() => void this.#recover(), LOOK_MS)
      this.#retry.unref()
      return
    }
    this.#looks = 0
    try {
      await this.bus.listen(RECOVERY_TIMEOUT_MS)
      this.#isHeard = true
      // Until nothing came in between: from there to the end nothing is waited for.
      do {
        await this.#replay()
        await this.#heartbeat.beat()
      } while (this.journal.size > 0)
    } catch (error) {
      if (this.#state === 'closed') return
      this.#handlers.onError(error)
      this.#retryLater()
      return
    } finally {
      this.#isHeard = false
    }
    if (this.#state === 'closed') return
    if (this.#settings.mechanisms.flush) this.#handlers.onFlush()
    if (this.#settings.mechanisms.gate) this.gate.bound = this.#settings.maxStalenessMs
    this.#failures = 0
    this.#mayBeAnother = false
    this.#retryMs = FIRST_RETRY_MS
    this.#move('up')
    clearTimeout(this.#firstTimer)
    this.#endFirstWait()
    this.#heartbeat.start()
  }

  async #replay(): Promise<void> {
    while (this.journal.size > 0) {
      await this.journal.replay((change) => this.#invalidator.invalidate(change, RECOVERY_TIMEOUT_MS), this.#settings.busPath)
    }
  }

  #move(state: RemoteState): void {
    this.#state = state
    this.#handlers.onState(state)
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
