import { defaultLimits, type CorruptReason, type ValueLimits } from '../codec/index.js'
import { allMechanisms, type Change, Fences, Gate, RecentChanges, TokenRegistry, type Mechanisms } from '../coherence/index.js'
import { ClosedError } from '../errors/index.js'
import { Locations, MemoryStore, type Entry } from '../memory/index.js'
import { Counters, EventHub, type ConnectionStatus } from '../observe/index.js'
import type { CacheSettings } from '../options/index.js'
import type { Remote, RemoteHandlers, RedisState } from '../redis/index.js'
import { Audit } from './audit.js'
import { Flights } from './flights.js'
import { flush, forget } from './forget.js'

/** Somebody beside the cache who wants to know what others change. Must not throw. */
export interface ChangeWatcher {
  onChange(change: Change): void
  onFlush(): void
}

/** What a cache and all its namespaces share. */
export class Shared {
  readonly tokens = new TokenRegistry()
  readonly fences = new Fences()
  readonly changes = new RecentChanges()
  readonly counters = new Counters(undefined)
  readonly flights: Flights
  readonly memory: MemoryStore
  readonly locations: Locations
  readonly events: EventHub
  readonly valueLimits: ValueLimits
  /** The second tier, if there is one. */
  readonly remote: Remote | undefined
  /** Until when memory may answer. Always, when there is nobody who could change anything behind its back. */
  readonly gate: Gate
  /** If it was asked for, and there is something to compare memory with. */
  readonly audit: Audit | undefined
  readonly watchers = new Set<ChangeWatcher>()
  /** How often everything was forgotten because something could have been missed. */
  flushes = 0
  /** Entries in Redis that could not be used, by the reason. */
  readonly corrupt = new Map<CorruptReason, number>()
  /** Messages on our channel that were not ours. */
  foreignMessages = 0
  #closed = false

  constructor(
    readonly settings: CacheSettings,
    readonly mechanisms: Mechanisms = allMechanisms,
    connect?: (handlers: RemoteHandlers) => Remote,
  ) {
    this.flights = new Flights(mechanisms, () => this.gate)
    this.memory = new MemoryStore(settings, this.tokens, mechanisms)
    this.locations = new Locations(settings.name)
    this.events = new EventHub(settings.logger)
    this.valueLimits = { ...defaultLimits, maxBytes: settings.maxValueBytes }
    this.remote = connect?.({
      onChange: (change) => {
        forget(this, change)
        for (const watcher of this.watchers) watcher.onChange(change)
      },
      onFlush: () => {
        flush(this)
        for (const watcher of this.watchers) watcher.onFlush()
      },
      onError: (error) => {
        this.counters.redisErrors++
        this.events.emit('error', { namespace: settings.name, key: undefined, error, during: 'redis' })
      },
      onCorrupt: (reason) => this.countCorrupt(reason),
      onForeign: () => this.foreignMessages++,
      onState: (state) => this.#announce(state),
      reads: () => this.counters.memoryHits + this.counters.redisHits + this.counters.misses,
    })
    this.gate = this.remote?.gate ?? new Gate(Number.POSITIVE_INFINITY)
    this.audit = this.remote && settings.audit && new Audit(this, this.remote, settings.audit)
  }

  countCorrupt(reason: CorruptReason): void {
    this.corrupt.set(reason, (this.corrupt.get(reason) ?? 0) + 1)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether an entry may be served as fresh. */
  mayServe(entry: Entry, now: number): boolean {
    return entry.isFresh(now) && this.gate.admits(entry.loadedAt, now)
  }

  /** Whether an entry may be served though it is not fresh. Grace is for a source that fails; it does not bring back what may have been invalidated. */
  mayServeStale(entry: Entry, grace: number, now: number): boolean {
    return entry.servesWithin(grace, now) && this.gate.admits(entry.loadedAt, now)
  }

  get status(): ConnectionStatus {
    if (this.#closed) return 'disconnected'
    return statusOf(this.remote?.state ?? 'outage')
  }

  async close(): Promise<void> {
    this.#closed = true
    this.audit?.close()
    for (const flight of this.flights.all()) flight.abort(new ClosedError('The cache was closed while the value was loaded'))
    this.memory.clear()
    if (this.remote === undefined) this.#announce('closed')
    else await this.remote.close()
  }

  #announce(state: RedisState): void {
    this.events.emit('state', { namespace: this.settings.name, status: statusOf(state), closed: state === 'closed' })
  }
}

function statusOf(state: RedisState): ConnectionStatus {
  if (state === 'up') return 'connected'
  return state === 'outage' ? 'memory-fallback' : 'disconnected'
}
