import type { Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { wholeNumber } from '../backend/names.js'
import { cacheOptionsFromEnv } from '@tiercel/core'
import { MemoryKeyspace } from '../keyspace/memory-keyspace.js'
import { LiveSessions, type SessionStorage } from './live-sessions.js'
import { ManagedRecords } from './managed-records.js'
import type { MigrationFigures, RecordConflict } from './migration.js'
import { SessionRecords } from './session-records.js'
import { type Session, type SessionData, sessionOf } from './session.js'

/** A session that was changed in this process and elsewhere while this process had no Redis. */
export interface SessionConflict<Data extends object = SessionData, Member = unknown> {
  readonly id: string
  /** Whose version is there now: that of the later change. */
  readonly kept: 'redis' | 'memory'
  /** What others had made of it. `undefined`: they had removed it. */
  readonly redis: Session<Data, Member> | undefined
  /** What this process had made of it. `undefined`: it had removed it. */
  readonly memory: Session<Data, Member> | undefined
}

export interface StorageManagerOptions<Data extends object = SessionData, Member = unknown> {
  /** How long a session lives after its last change. Default: `REDIS_TTL`, else an hour. */
  readonly ttl?: Duration
  /** So many sessions are kept in memory: those that were seen last. What Redis was not told yet is always kept. Default 10,000. */
  readonly maxSessions?: number
  /** For how long it is remembered that a session was removed, so that a process that comes back later does not bring it back. Default `'1h'`. */
  readonly rememberRemoved?: Duration
  /** Told of each session that was changed here and elsewhere, once it is decided. */
  onConflict?(conflict: SessionConflict<Data, Member>): void
  /** Told when Redis was told of what changed meanwhile. */
  onMigrated?(figures: MigrationFigures): void
  /** Told of each switch. */
  onSwitch?(to: 'redis' | 'memory', reason: string | undefined): void
}

export interface StorageStatus {
  /** Whether sessions can be stored and read, wherever. */
  readonly healthy: boolean
  readonly storageType: 'redis' | 'memory'
  readonly initialized: boolean
  /** Why it is memory. */
  readonly fallbackReason: string | undefined
  /** Of all processes; in memory, of this one. `getStatus` gives those in the memory of this process. */
  readonly totalSessions: number
  readonly redisStatus: {
    readonly connected: boolean
    /** How often a connection was begun: at the start, and after each time that Redis was lost. */
    readonly connectionAttempts: number
  }
}

/**
 * Sessions in Redis, and in memory when it is away: no call fails because of Redis.
 *
 * When Redis is lost this process goes on with the sessions it has seen. When Redis is back, it is told what changed, newer changes of others are kept, and calls go
 * there again.
 */
export class StorageManager<Data extends object = SessionData, Member = unknown> {
  readonly #chosen: ChosenBackend
  readonly #records: ManagedRecords | SessionRecords
  readonly #storage: SessionStorage<Data, Member>
  readonly #ends: (() => void)[] = []
  #attempts = 0
  #initializing: Promise<void> | undefined
  #isInitialized = false
  #isClosed = false

  /** @throws {InvalidOptionError} @throws {InvalidEnvironmentError} */
  constructor({ ttl, maxSessions = 10_000, rememberRemoved = '1h', onConflict, onMigrated, onSwitch, ...choice }: StorageManagerOptions<Data, Member> & BackendChoice = {}) {
    const settings = {
      kind: 'live',
      ttlMs: toMs(ttl ?? cacheOptionsFromEnv(process.env).ttl ?? '1h', 'ttl'),
      rememberGoneMs: toMs(rememberRemoved, 'rememberRemoved'),
      companions: [],
    }
    const most = wholeNumber(maxSessions, 'maxSessions', 1, 100_000)
    this.#chosen = chooseBackend(choice)
    const { keyspace, link, prefix } = this.#chosen.backend
    const records = new SessionRecords(keyspace, { ...settings, prefix })
    if (link === undefined) {
      this.#records = records
    } else {
      const memory = new SessionRecords(new MemoryKeyspace(), { ...settings, prefix })
      const tell = <Args extends unknown[]>(listener: ((...args: Args) => void) | undefined, ...args: Args) => surely(() => listener?.(...args))
      this.#records = new ManagedRecords(link, records, memory, most, {
        onMode: (mode, reason) => tell(onSwitch, mode, reason),
        onConflict: (conflict) => tell(onConflict, conflictOf<Data, Member>(conflict)),
        onMigrated: (figures) => tell(onMigrated, figures),
      })
    }
    this.#storage = new LiveSessions(this.#records)
  }

  /** Waits for the first connection to Redis or the first deadline, whichever comes first: then the storage can be used, in Redis or in memory. Called twice it does this once. */
  initialize(): Promise<void> {
    this.#initializing ??= this.#initialize()
    return this.#initializing
  }

  /** The same one, wherever the sessions are at the moment. Before `initialize` they are in memory. */
  getStorage(): SessionStorage<Data, Member> {
    return this.#storage
  }

  /** As `getStatus`, after having asked Redis. Never rejects. */
  async healthCheck(): Promise<StorageStatus> {
    if (this.#records instanceof ManagedRecords) await this.#records.check()
    const totalSessions = this.#isClosed ? 0 : await this.#storage.countSessions().catch(() => 0)
    return { ...this.getStatus(), totalSessions }
  }

  /** How it stands, without a round trip. */
  getStatus(): StorageStatus {
    const records = this.#records
    const isManaged = records instanceof ManagedRecords
    return {
      healthy: this.#isInitialized && !this.#isClosed,
      storageType: isManaged ? records.mode : 'memory',
      initialized: this.#isInitialized,
      fallbackReason: isManaged ? records.reason : 'no Redis is configured',
      totalSessions: isManaged ? records.size : (records.count() as number),
      redisStatus: { connected: this.#chosen.backend.link?.state === 'up', connectionAttempts: this.#attempts },
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What Redis was not told yet is lost. Ends connections that it opened itself. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const end of this.#ends.splice(0)) end()
    if (this.#records instanceof ManagedRecords) this.#records.close()
    await this.#chosen.close()
  }

  async #initialize(): Promise<void> {
    const { backend } = this.#chosen
    const records = this.#records
    if (records instanceof ManagedRecords) {
      this.#attempts = 1
      this.#ends.push(
        backend.onState((state) => {
          if (state === 'outage') this.#attempts++
          if (state === 'up') void records.recover()
        }),
      )
      await backend.ready()
      if (backend.link?.state !== 'up') records.reason = 'Redis does not answer'
      await records.recover()
    }
    this.#isInitialized = true
  }
}

function conflictOf<Data extends object, Member>({ id, kept, redis, memory }: RecordConflict): SessionConflict<Data, Member> {
  const session = (fields: RecordConflict['redis']) => (fields === undefined ? undefined : sessionOf<Data, Member>(id, fields))
  return { id, kept, redis: session(redis), memory: session(memory) }
}

/** What a listener throws surfaces as any event handler's error does, and disturbs nobody. */
function surely(tell: () => void): void {
  try {
    tell()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

let ofProcess: StorageManager | undefined

/**
 * The storage manager of the process: made at the first call, with its options; later ones get the same. After it was closed a new one.
 *
 * @example
 * const manager = getStorageManager()
 * await manager.initialize()
 * const session = await manager.getStorage().createSession('jam', { tempo: 120 })
 */
export function getStorageManager<Data extends object = SessionData, Member = unknown>(options?: StorageManagerOptions<Data, Member> & BackendChoice): StorageManager<Data, Member> {
  if (ofProcess === undefined || ofProcess.isClosed) ofProcess = new StorageManager<Data, Member>(options) as unknown as StorageManager
  return ofProcess as unknown as StorageManager<Data, Member>
}

/** Ends what `getStorageManager` began. */
export async function closeStorageManager(): Promise<void> {
  const manager = ofProcess
  ofProcess = undefined
  await manager?.close()
}
