import { ClosedError, RedisError, RedisRefusedError, RedisUnavailableError } from '@tiercel/core'
import type { OwnLink } from '@tiercel/core/connection'
import { connectionsOf } from '../backend/connections.js'
import type { Records } from './live-sessions.js'
import { Migration, type MigrationFigures, type RecordConflict } from './migration.js'
import { RedisTime } from './redis-time.js'
import { SeenSessions } from './seen-sessions.js'
import type { FieldChanges } from './session.js'
import type { Moment, SessionRecord, SessionRecords } from './session-records.js'

/** From the next time through on, calls wait for the rest to be told: some sessions change faster than that. */
const TIMES_WITHOUT_WAITING = 5
const RETRY_MS = 1000

export interface ManagedHandlers {
  /** `reason`: why it is in memory. */
  onMode(mode: 'redis' | 'memory', reason: string | undefined): void
  onConflict(conflict: RecordConflict): void
  onMigrated(figures: MigrationFigures): void
}

/**
 * Sessions in Redis as long as it is there, and else in memory.
 *
 * Memory has a copy of what this process has seen, and goes on with it when Redis is lost. When Redis is back it is told what changed here, session by session, while
 * calls go on in memory. When nothing is left to tell, calls go to Redis again: between the look at that and the switch nothing is waited for, so nothing can come in
 * between.
 *
 * Whose call was under way when Redis was lost, has it done in memory, with the stamp it had: then it does not matter whether Redis did it too. What reaches Redis
 * after its caller has given up is not done there.
 */
export class ManagedRecords implements Records {
  mode: 'redis' | 'memory' = 'memory'
  /** Why it is in memory. */
  reason: string | undefined = 'not initialized'
  readonly #link: OwnLink
  readonly #redis: SessionRecords
  readonly #memory: SessionRecords
  readonly #seen: SeenSessions
  readonly #handlers: ManagedHandlers
  readonly #time: RedisTime
  /** While it is there, calls wait for it. */
  #gate: Promise<void> | undefined
  #recovering: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  /** Which run of the server it was, and by which connections it was seen to be that. */
  #run: string | undefined
  #connections = ''
  /** One more with each switch. */
  #epoch = 0
  #closed = false

  /** `memory` is on a keyspace that answers at once. */
  constructor(link: OwnLink, redis: SessionRecords, memory: SessionRecords, maxSessions: number, handlers: ManagedHandlers) {
    this.#link = link
    this.#redis = redis
    this.#memory = memory
    this.#seen = new SeenSessions(memory, maxSessions)
    this.#handlers = handlers
    this.#time = new RedisTime(link)
  }

  write(id: string, mode: 'create' | 'change', changes: FieldChanges): Promise<SessionRecord | undefined> {
    return this.#do(id, {
      inRedis: (moment) => this.#redis.write(id, mode, changes, moment),
      seen: (record) => this.#seen.adopt(id, record),
      inMemory: ({ stamp }) => {
        const record = this.#memory.write(id, mode, changes, { stamp, until: undefined }) as SessionRecord | undefined
        if (record !== undefined) this.#seen.changed(id)
        return record
      },
    })
  }

  read(id: string): Promise<SessionRecord | undefined> {
    return this.#do(id, {
      inRedis: () => this.#redis.read(id),
      seen: (record) => this.#seen.adopt(id, record),
      inMemory: () => this.#memory.read(id) as SessionRecord | undefined,
    })
  }

  remove(id: string): Promise<boolean> {
    return this.#do(id, {
      inRedis: (moment) => this.#redis.remove(id, moment),
      seen: () => this.#seen.adopt(id, undefined),
      inMemory: ({ stamp }) => {
        const wasThere = this.#memory.remove(id) as boolean
        if (wasThere) this.#seen.changed(id, stamp)
        return wasThere
      },
    })
  }

  list(most: number): Promise<string[]> {
    return this.#do(undefined, { inRedis: () => this.#redis.list(most), seen: () => {}, inMemory: () => this.#memory.list(most) as string[] })
  }

  count(): Promise<number> {
    return this.#do(undefined, { inRedis: () => this.#redis.count(), seen: () => {}, inMemory: () => this.#memory.count() as number })
  }

  /** How many there are in memory. */
  get size(): number {
    return this.#seen.size
  }

  /** Whether Redis answers, by asking it. */
  async check(): Promise<void> {
    if (this.mode === 'memory') return
    const epoch = this.#epoch
    try {
      await this.#link.send(['PING'], { route: '' })
    } catch (error) {
      this.#fallBack(epoch, error)
    }
  }

  /** Tries to go to Redis, or back to it, if it is not there yet. Never rejects. */
  recover(): Promise<void> {
    if (this.mode === 'redis' || this.#closed || this.#link.state !== 'up') return Promise.resolve()
    this.#recovering ??= this.#goBack()
      .catch((error: unknown) => {
        this.reason = reasonOf(error)
        this.#retryLater()
      })
      .finally(() => {
        this.#recovering = undefined
      })
    return this.#recovering
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
  }

  async #do<T>(
    id: string | undefined,
    call: { inRedis(moment: Moment): T | Promise<T>; seen(result: T): void; inMemory(moment: Moment): T },
  ): Promise<T> {
    const moment = this.#time.moment()
    for (;;) {
      while (this.#gate !== undefined) await this.#gate
      if (this.#closed) throw new ClosedError('The storage manager was closed')
      if (this.mode === 'memory') return call.inMemory(moment)
      const epoch = this.#epoch
      try {
        if (!(await this.#isSameRedis())) {
          this.#fallBack(epoch, new RedisUnavailableError('Redis was started anew'))
          await this.recover()
          continue
        }
        if (this.#epoch !== epoch) continue
        const result = await call.inRedis({ stamp: moment.stamp, until: this.#time.moment().until })
        if (this.#epoch === epoch) {
          call.seen(result)
          return result
        }
        // Somebody else's call has failed meanwhile, and memory is what counts: it has to have this too.
        if (id !== undefined) this.#seen.mayBeKnown(id, moment.stamp)
        return call.inMemory(moment)
      } catch (error) {
        if (!isAway(error)) throw error
        if (id !== undefined) this.#seen.mayBeKnown(id, moment.stamp)
        this.#fallBack(epoch, error)
      }
    }
  }

  #fallBack(epoch: number, error: unknown): void {
    if (epoch !== this.#epoch || this.#closed) return
    this.#epoch++
    this.mode = 'memory'
    this.reason = reasonOf(error)
    this.#handlers.onMode('memory', this.reason)
    this.#retryLater()
  }

  #retryLater(): void {
    if (this.#closed) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.recover().then(
        () => (this.mode === 'memory' ? this.#retryLater() : undefined),
        () => {},
      )
    }, RETRY_MS)
    this.#retry.unref()
  }

  async #goBack(): Promise<void> {
    const connections = await connectionsOf(this.#link)
    await this.#time.learn()
    const run = await this.#runOfServer()
    if (this.#run !== undefined && run !== this.#run) this.#seen.giveAllBack()
    const migration = new Migration(this.#seen, this.#redis, this.#time, (conflict) => this.#handlers.onConflict(conflict))
    let open = () => {}
    try {
      for (let times = 0; !this.#seen.isAllTold; times++) {
        if (times === TIMES_WITHOUT_WAITING) this.#gate = new Promise((resolve) => (open = resolve))
        await migration.tellAll()
      }
      if (this.#closed) return
      this.#run = run
      this.#connections = connections
      this.#epoch++
      this.mode = 'redis'
      this.reason = undefined
    } finally {
      this.#gate = undefined
      open()
    }
    this.#handlers.onMigrated({ moved: migration.moved, conflicts: migration.conflicts })
    this.#handlers.onMode('redis', undefined)
  }

  /** One that was restarted in a moment when nothing was asked of it may have lost what it had: nobody is told, and only by the connection it can be seen. */
  async #isSameRedis(): Promise<boolean> {
    const connections = await connectionsOf(this.#link)
    if (connections === this.#connections) return true
    if ((await this.#runOfServer()) !== this.#run) return false
    this.#connections = connections
    return true
  }

  async #runOfServer(): Promise<string> {
    const nodes = await this.#link.masters()
    const infos = await Promise.all(nodes.map((node) => node.send(['INFO', 'server'], this.#link.deadlineMs)))
    return infos.map((info) => /run_id:(\w+)/.exec(String(info))?.[1]).join(' ')
  }
}

/** Whether an error means that Redis cannot be used, and not that something is wrong with the call. */
function isAway(error: unknown): boolean {
  return error instanceof RedisError && !(error instanceof RedisRefusedError && (error.reply === 'wrongtype' || error.reply === 'other'))
}

function reasonOf(error: unknown): string {
  return error instanceof RedisError ? error.message : 'Redis cannot be used'
}
