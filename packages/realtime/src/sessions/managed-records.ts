import { RedisError, RedisRefusedError } from '@tiercel/core'
import type { OwnLink } from '@tiercel/core/connection'
import { encodeId } from '../backend/names.js'
import { pairs } from '../keyspace/reply.js'
import type { Records } from './live-sessions.js'
import { CHANGED, mergeOperation } from './record-operations.js'
import { RedisTime } from './redis-time.js'
import type { FieldChanges } from './session.js'
import { inTime, type Moment, momentOf, type SessionRecord, type SessionRecords } from './session-records.js'

/** What this process knows of a session that it has seen. */
interface Note {
  /** Stamps under which Redis may have it without anybody else having changed it since. */
  readonly known: readonly string[]
  /** When it was removed here, if it was. */
  readonly goneAt: number | undefined
}

/** So many stamps are enough: one that Redis told, and those of calls nobody knows the end of. */
const MOST_KNOWN = 8
/** So many sessions are told at once. */
const TOLD_AT_ONCE = 100
/** From the next time through on, calls wait for the rest to be told: some sessions change faster than that. */
const TIMES_WITHOUT_WAITING = 5
const RETRY_MS = 1000

interface Merged {
  /** As `mergeOperation` tells. */
  readonly outcome: string
  /** What there was before. */
  readonly there: SessionRecord['fields']
  /** What there is now, if it is not ours. */
  readonly now: SessionRecord | undefined
}

/** A session that was changed here and elsewhere while Redis was away. */
export interface RecordConflict {
  readonly id: string
  /** Whose version is there now: the one that was changed last. */
  readonly kept: 'redis' | 'memory'
  /** What others had made of it; `undefined`: it was removed. */
  readonly redis: SessionRecord['fields'] | undefined
  /** What this process had made of it. */
  readonly memory: SessionRecord['fields'] | undefined
}

export interface MigrationFigures {
  /** Sessions that Redis has now as this process had them. */
  readonly moved: number
  /** Of all that were told, those that others had changed too. */
  readonly conflicts: number
}

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
 * calls go on in memory. Each is compared with what others have made of it, and the newer one stays. When nothing is left to tell, calls go to Redis again: between
 * the look at that and the switch nothing is waited for, so nothing can come in between.
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
  readonly #handlers: ManagedHandlers
  readonly #maxSessions: number
  readonly #time: RedisTime
  readonly #notes = new Map<string, Note>()
  /** What Redis was not told, and whether others should have to do with it: not if it is only put back after Redis has lost its data. */
  readonly #untold = new Map<string, { readonly isChange: boolean }>()
  /** While it is there, calls wait for it. */
  #gate: Promise<void> | undefined
  #recovering: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  /** Which run of the server it was. */
  #run: string | undefined
  /** One more with each switch. */
  #epoch = 0
  #closed = false

  /** `memory` is on a keyspace that answers at once. */
  constructor(link: OwnLink, redis: SessionRecords, memory: SessionRecords, maxSessions: number, handlers: ManagedHandlers) {
    this.#link = link
    this.#redis = redis
    this.#memory = memory
    this.#maxSessions = maxSessions
    this.#handlers = handlers
    this.#time = new RedisTime(link)
  }

  write(id: string, mode: 'create' | 'change', changes: FieldChanges): Promise<SessionRecord | undefined> {
    return this.#do(id, {
      inRedis: (moment) => this.#redis.write(id, mode, changes, moment),
      seen: (record) => this.#adopt(id, record),
      inMemory: ({ stamp }) => {
        const record = this.#memory.write(id, mode, changes, { stamp, until: undefined }) as SessionRecord | undefined
        if (record !== undefined) this.#changed(id, undefined)
        return record
      },
    })
  }

  read(id: string): Promise<SessionRecord | undefined> {
    return this.#do(id, {
      inRedis: () => this.#redis.read(id),
      seen: (record) => this.#adopt(id, record),
      inMemory: () => this.#memory.read(id) as SessionRecord | undefined,
    })
  }

  remove(id: string): Promise<boolean> {
    return this.#do(id, {
      inRedis: (moment) => this.#redis.remove(id, moment),
      seen: () => this.#adopt(id, undefined),
      inMemory: ({ stamp }) => {
        const wasThere = this.#memory.remove(id) as boolean
        if (wasThere) this.#changed(id, stamp)
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
    return this.#memory.count() as number
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
    clearTimeout(this.#retry)
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
      if (this.mode === 'memory') return call.inMemory(moment)
      const epoch = this.#epoch
      try {
        const result = await call.inRedis({ stamp: moment.stamp, until: this.#time.moment().until })
        // Somebody else's call has failed meanwhile, and memory is what counts: it has to have this too.
        if (this.#epoch !== epoch) return call.inMemory(moment)
        call.seen(result)
        return result
      } catch (error) {
        if (!isAway(error)) throw error
        if (id !== undefined) this.#mayBe(id, moment.stamp)
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
    await this.#time.learn()
    const run = await this.#runOfServer()
    if (this.#run !== undefined && run !== this.#run) this.#putAllBack()
    // It may answer and take no writes: full, or a replica.
    await this.#redis.keyspace.send(['SET', `${this.#redis.settings.prefix}index:${this.#redis.settings.kind}:probe`, '1', 'PX', RETRY_MS])
    let figures: MigrationFigures = { moved: 0, conflicts: 0 }
    let open = () => {}
    try {
      for (let times = 0; this.#untold.size > 0; times++) {
        if (times === TIMES_WITHOUT_WAITING) this.#gate = new Promise((resolve) => (open = resolve))
        figures = await this.#tellAll(figures)
      }
      if (this.#closed) return
      this.#run = run
      this.#epoch++
      this.mode = 'redis'
      this.reason = undefined
    } finally {
      this.#gate = undefined
      open()
    }
    this.#handlers.onMigrated(figures)
    this.#handlers.onMode('redis', undefined)
  }

  /** A server that was started anew may have lost what it had. */
  #putAllBack(): void {
    for (const id of this.#notes.keys()) if (!this.#untold.has(id)) this.#untold.set(id, { isChange: false })
  }

  async #runOfServer(): Promise<string> {
    const nodes = await this.#link.masters()
    const infos = await Promise.all(nodes.map((node) => node.send(['INFO', 'server'], this.#link.deadlineMs)))
    return infos.map((info) => /run_id:(\w+)/.exec(String(info))?.[1]).join(' ')
  }

  async #tellAll(before: MigrationFigures): Promise<MigrationFigures> {
    let { moved, conflicts } = before
    const ids = [...this.#untold.keys()]
    for (let at = 0; at < ids.length; at += TOLD_AT_ONCE) {
      const told = await Promise.allSettled(ids.slice(at, at + TOLD_AT_ONCE).map((id) => this.#tell(id)))
      for (const each of told) {
        if (each.status === 'rejected') throw each.reason
        if (each.value.isMoved) moved++
        if (each.value.isConflict) conflicts++
      }
    }
    return { moved, conflicts }
  }

  async #tell(id: string): Promise<{ readonly isMoved: boolean; readonly isConflict: boolean }> {
    const untold = this.#untold.get(id)
    const note = this.#notes.get(id)
    const record = this.#memory.read(id) as SessionRecord | undefined
    this.#untold.delete(id)
    // It has expired: nothing is left to tell of it.
    if (untold === undefined || note === undefined || (record === undefined && note.goneAt === undefined)) return { isMoved: false, isConflict: false }
    const ours = note.goneAt ?? stampOf(record?.fields)
    const { outcome, there, now } = await this.#merge(id, note, record, ours).catch((error: unknown) => {
      if (!this.#untold.has(id)) this.#untold.set(id, untold)
      throw error
    })
    // A change that was made meanwhile is one of ours, and so is what it was made of.
    if (outcome === 'kept') this.#adopt(id, now)
    else this.#mayBe(id, ours)
    const isConflict = untold.isChange && (outcome === 'kept' || outcome === 'replaced')
    if (isConflict) this.#handlers.onConflict({ id, kept: outcome === 'kept' ? 'redis' : 'memory', redis: there.length === 0 ? undefined : there, memory: record?.fields })
    return { isMoved: outcome === 'written' || outcome === 'replaced', isConflict }
  }

  async #merge(id: string, { known }: Note, record: SessionRecord | undefined, ours: number): Promise<Merged> {
    const { settings, keyspace, index } = this.#redis
    const { until } = this.#time.moment()
    const args = [...momentOf({ stamp: ours, until }), known.join(','), record?.ttlMs ?? settings.ttlMs, settings.rememberGoneMs, ...(record?.fields.flat() ?? [])]
    const name = encodeId(id, 'session id')
    if (record !== undefined) await index.add(name, record.ttlMs)
    const reply = inTime(await keyspace.run(mergeOperation, [this.#redis.key(id), this.#redis.companion(id, 'gone')], args)) as [string, string[]]
    if (record === undefined && reply[0] !== 'kept') await index.remove(name)
    const [outcome, there] = reply
    return { outcome, there: pairs(there), now: outcome === 'kept' ? await this.#redis.read(id) : undefined }
  }

  /** Memory has it as Redis does. What was changed here since stays. */
  #adopt(id: string, record: SessionRecord | undefined): void {
    if (this.#untold.has(id)) return
    this.#notes.delete(id)
    if (record === undefined) {
      void this.#memory.remove(id)
      return
    }
    void this.#memory.put(id, record)
    this.#note(id, { known: [String(stampOf(record.fields))], goneAt: undefined })
  }

  #changed(id: string, goneAt: number | undefined): void {
    this.#untold.set(id, { isChange: true })
    this.#note(id, { known: this.#notes.get(id)?.known ?? [], goneAt })
  }

  /** Redis may have done what it did not confirm. */
  #mayBe(id: string, stamp: number): void {
    const { known = [], goneAt } = this.#notes.get(id) ?? {}
    this.#note(id, { known: [...known, String(stamp)].slice(-MOST_KNOWN), goneAt })
  }

  /** Bounded: those that were seen first, and are told, go. */
  #note(id: string, note: Note): void {
    this.#notes.delete(id)
    this.#notes.set(id, note)
    if (this.#notes.size <= this.#maxSessions) return
    for (const oldest of this.#notes.keys()) {
      if (this.#untold.has(oldest)) continue
      this.#notes.delete(oldest)
      void this.#memory.remove(oldest)
      return
    }
  }
}

function stampOf(fields: SessionRecord['fields'] | undefined): number {
  return Number(fields?.find(([name]) => name === CHANGED)?.[1] ?? 0)
}

/** Whether an error means that Redis cannot be used, and not that something is wrong with the call. */
function isAway(error: unknown): boolean {
  return error instanceof RedisError && !(error instanceof RedisRefusedError && (error.reply === 'wrongtype' || error.reply === 'other'))
}

function reasonOf(error: unknown): string {
  return error instanceof RedisError ? error.message : 'Redis cannot be used'
}
