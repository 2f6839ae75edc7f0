import { LRUCache } from 'lru-cache'
import type { CorruptReason, EntryFormat } from '../codec/index.js'
import { RedisTimeoutError } from '../errors/index.js'
import { Gate, Journal, piecesOf, type Change, type Mechanisms } from '../coherence/index.js'
import { BatchReader } from './batch-reader.js'
import { Breaker, type RedisState } from './breaker.js'
import { Budget } from './budget.js'
import { Bus } from './bus.js'
import type { RedisConnection } from './clients/index.js'
import { RedisEntries, type Lease } from './entries.js'
import { Heartbeat } from './heartbeat.js'
import { Invalidator } from './invalidator.js'
import { RedisLink } from './link.js'
import { RedisNames } from './names.js'
import { RedisClock } from './redis-clock.js'
import { RunNote } from './run-note.js'
import { commitAndAnnounceScript, storeAtOnceScript } from './scripts.js'
import { slotsOf } from './by-slot.js'
import { TOKEN_TTL_MS } from './token-names.js'

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
  onState(state: RedisState): void
  /** Counts up with every read. */
  reads(): number
}

/** A key of Redis that somebody changes when what is being stored is not to be stored any more. */
export interface Guard {
  readonly key: string
  readonly value: string
}

const MOST_KNOWN_TOKENS = 1000

/** A recovery may take longer than a call may wait. */
const RECOVERY_TIMEOUT_MS = 1000

/** Redis as the rest of the cache sees it: there or not, and what it holds. */
export class Remote {
  readonly entries: RedisEntries
  readonly clock = new RedisClock()
  readonly gate: Gate
  readonly journal = new Journal()
  readonly bus: Bus
  /** The connection, for what is built beside the cache. */
  readonly link: RedisLink
  readonly #connection: RedisConnection
  readonly #settings: RemoteSettings
  readonly #handlers: RemoteHandlers
  readonly #invalidator: Invalidator
  readonly #heartbeat: Heartbeat
  readonly #names: RedisNames
  readonly #breaker: Breaker
  readonly #knownTokens = new LRUCache<string, string>({ max: MOST_KNOWN_TOKENS })
  /** How often Redis was taken for gone. */
  outages = 0
  /** A recovery hears and is heard: what is invalidated from now on is told at once, or the journal would never be empty. */
  #isHeard = false
  /** How often the connection for messages broke. */
  #breaks = 0
  /** As it was, with the newest connection for commands, when the server was last asked who it is. */
  #breaksAsked = 0
  #newestAsked = 0
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
      onLost: () => void this.#breaks++,
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
      onSuccess: () => this.succeeded(),
      onFailure: (error) => this.failed(error),
      onRun: (run) => (settings.keepsOnFailover || !mechanisms.run ? Promise.resolve() : runNote.note(run, RECOVERY_TIMEOUT_MS)),
    })
    this.#breaker = new Breaker({
      connection,
      firstWaitMs: settings.deadlineMs,
      recover: () => this.#recover(),
      isBehind: () => this.journal.size > 0,
      onState: (state) => this.#onState(state),
      onError: handlers.onError,
    })
    this.link = new RedisLink(connection, this.#breaker, settings.deadlineMs)
    this.#breaker.start()
  }

  get state(): RedisState {
    return this.#breaker.state
  }

  get isUp(): boolean {
    return this.state === 'up'
  }

  /** Resolves to whether Redis can be asked. Only before the first connection is there anything to wait for, and only until the first deadline. */
  reachable(): boolean | Promise<boolean> {
    if (this.state === 'connecting') return this.ready().then(() => this.reachable())
    if (!this.isUp) return false
    if (this.#mayBeAnother) return this.#isSame()
    this.#heartbeat.wake()
    return true
  }

  /** After a connection broke it may be another server that answers, or one that was restarted: nothing is read before that is known. */
  get #mayBeAnother(): boolean {
    return this.#breaks !== this.#breaksAsked || this.#connection.newest !== this.#newestAsked
  }

  #isSame(): Promise<boolean> {
    this.#asking ??= this.#whoItIs(() => this.#heartbeat.ask())
      .then(
        () => !this.#mayBeAnother,
        (error: unknown) => {
          this.failed(error)
          return false
        },
      )
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }

  /** What breaks while it is asked has to be asked about again. */
  async #whoItIs(ask: () => Promise<unknown>): Promise<void> {
    const breaks = this.#breaks
    const { newest } = this.#connection
    await ask()
    this.#breaksAsked = breaks
    this.#newestAsked = newest
  }

  /** As the server's clock has it, in ms. Good for times to come, not before the first connection. */
  get redisTime(): number {
    return this.clock.redisTime(performance.now())
  }

  /** Gives the room of entries back that nobody needs in Redis any more. Whoever has them in memory goes on with them. */
  async evict(path: string, keys: readonly string[]): Promise<void> {
    try {
      if (this.isUp) await this.entries.evict(path, keys, this.#settings.deadlineMs)
    } catch (error) {
      this.failed(error)
    }
  }

  /** Somebody reads who cannot wait: let memory be confirmed for the next time. */
  wake(): void {
    this.#heartbeat.wake()
  }

  /** Resolves with the first connection or the first deadline. */
  ready(): Promise<void> {
    return this.#breaker.ready
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
    return (await this.hasHeardAll(budget)) ? tokens : undefined
  }

  /**
   * Takes a key's lease by force for a value that was made earlier, and waits until everything that was changed before has been heard here.
   */
  async seizeInTurn(path: string, key: string, ids: readonly string[], budget: Budget): Promise<Lease> {
    const lease = await this.entries.seize(path, key, ids, budget, 'drop')
    for (const [id, written] of lease.tokens) this.#knownTokens.set(id, written)
    if (await this.hasHeardAll(budget)) return lease
    this.release(lease)
    throw new RedisTimeoutError('The messages of Redis do not reach this process')
  }

  /** The tokens as they were when somebody here took a lease, if that is known of all of them. In a cluster they cannot be looked at together with the entry. */
  knownTokens(ids: readonly string[]): Map<string, string> | undefined {
    if (this.#connection.kind === 'cluster') return undefined
    const known = new Map<string, string>()
    for (const id of ids) {
      const written = this.#knownTokens.get(id)
      if (written === undefined) return undefined
      known.set(id, written)
    }
    return known
  }

  /** In one step what takes a lease and a commit otherwise, if the tokens still are the current ones and the guard is what it was. Else nothing is done, and it resolves to false. */
  async storeAtOnce({ path, key, tokens }: Omit<Lease, 'id'>, bytes: Buffer, lifetimeMs: number, guard: Guard, budget: Budget, change: Change): Promise<boolean> {
    const entry = this.#names.entry(path, key)
    const keys = [entry, this.#names.lease(entry), this.bus.sequenceKey, guard.key, ...[...tokens.keys()].map((id) => this.#names.token(id))]
    const args = [bytes, String(lifetimeMs), guard.value, String(TOKEN_TTL_MS), ...this.bus.announcement(change), ...tokens.values()]
    return (await budget.spend((ms) => this.#connection.run(storeAtOnceScript, keys, args, ms))) !== 0
  }

  /** Whether everything that was changed until now has been heard here, in time. */
  async hasHeardAll(budget: Budget): Promise<boolean> {
    const { sequence, sequenceKey: key } = this.bus
    const { interruptions } = sequence
    const number = await budget.spend((ms) => this.#connection.send(['GET', key], { route: key, timeoutMs: ms }))
    return number !== null && (await budget.spend((ms) => sequence.deliveredUpTo(Number(String(number)), interruptions, ms))) === 'delivered'
  }

  /** Keeps a lease while its owner loads. */
  keepAlive(lease: Lease): () => void {
    return this.entries.keepAlive(lease, this.#settings.deadlineMs)
  }

  release(lease: Lease, after?: 'keeping-nothing'): void {
    if (this.isUp) this.entries.release(lease, this.#settings.deadlineMs, after)
  }

  succeeded(): void {
    this.#breaker.succeeded()
  }

  /** Something asked of Redis came to nothing. */
  failed(error: unknown): void {
    this.#breaker.failed(error)
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
    if (this.state === 'closed') return
    if (this.#settings.mechanisms.journal) this.journal.add(change, this.#settings.busPath)
    this.#breaker.trip()
  }

  /** What is under way may end, within the deadline. What Redis was not told of stays untold. */
  async close(): Promise<void> {
    if (this.state === 'closed') return
    this.#breaker.close()
    this.bus.close()
    await this.#connection.close(this.#settings.deadlineMs)
  }

  #onState(state: RedisState): void {
    const { mechanisms, maxStalenessMs, serveInOutageMs } = this.#settings
    if (state === 'up') {
      if (mechanisms.flush) this.#handlers.onFlush()
      if (mechanisms.gate) this.gate.bound = maxStalenessMs
      this.#isHeard = false
      this.#heartbeat.start()
    } else {
      if (state === 'outage') this.outages++
      this.#heartbeat.stop()
      this.gate.bound = Math.max(this.gate.bound, serveInOutageMs)
    }
    this.#handlers.onState(state)
  }

  /**
   * Back to work, in this order: hear what others say, tell them and Redis what they missed, then forget all that was kept meanwhile. Only then is Redis asked
   * for values again. Values are never written back: somebody may have newer ones.
   */
  async #recover(): Promise<void> {
    await this.bus.listen(RECOVERY_TIMEOUT_MS)
    this.#isHeard = true
    try {
      await this.#replay()
      await this.#whoItIs(() => this.#heartbeat.beat())
    } catch (error) {
      this.#isHeard = false
      throw error
    }
  }

  async #replay(): Promise<void> {
    while (this.journal.size > 0) {
      await this.journal.replay((change) => this.#invalidator.invalidate(change, RECOVERY_TIMEOUT_MS), this.#settings.busPath)
    }
  }
}
