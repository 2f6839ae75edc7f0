import { encodeId } from '../backend/names.js'
import { pairs } from '../keyspace/reply.js'
import { mergeOperation } from './record-operations.js'
import type { RedisTime } from './redis-time.js'
import type { SeenSessions, Untold } from './seen-sessions.js'
import { inTime, momentOf, type SessionRecord, type SessionRecords } from './session-records.js'

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

interface Merged {
  /** As `mergeOperation` tells. */
  readonly outcome: string
  /** What there was before. */
  readonly there: SessionRecord['fields']
  /** What there is now, if it is not ours. */
  readonly now: SessionRecord | undefined
}

/** So many sessions are told at once. */
const TOLD_AT_ONCE = 100

/** Tells Redis what became of the sessions that a process has seen. Each is compared with what others have made of it, and the newer one stays. */
export class Migration {
  moved = 0
  conflicts = 0
  readonly #seen: SeenSessions
  readonly #redis: SessionRecords
  readonly #time: RedisTime
  readonly #onConflict: (conflict: RecordConflict) => void

  constructor(seen: SeenSessions, redis: SessionRecords, time: RedisTime, onConflict: (conflict: RecordConflict) => void) {
    this.#seen = seen
    this.#redis = redis
    this.#time = time
    this.#onConflict = onConflict
  }

  /** All there is to tell when it is called. Rejects with the first failure; what was not told then is still to tell. */
  async tellAll(): Promise<void> {
    const ids = this.#seen.untold
    for (let at = 0; at < ids.length; at += TOLD_AT_ONCE) {
      const told = await Promise.allSettled(ids.slice(at, at + TOLD_AT_ONCE).map((id) => this.#tell(id)))
      for (const each of told) if (each.status === 'rejected') throw each.reason
    }
  }

  async #tell(id: string): Promise<void> {
    const untold = this.#seen.toTell(id)
    if (untold === undefined) return
    const { outcome, there, now } = await this.#merge(untold).finally(() => this.#seen.mayBeKnown(id, untold.stamp))
    this.#seen.wasTold(untold)
    if (outcome === 'kept') this.#seen.adopt(id, now)
    else this.moved++
    if (!untold.note.isChange || outcome === 'written') return
    this.conflicts++
    this.#onConflict({ id, kept: outcome === 'kept' ? 'redis' : 'memory', redis: there.length === 0 ? undefined : there, memory: untold.record?.fields })
  }

  async #merge({ id, record, note: { known }, stamp }: Untold): Promise<Merged> {
    const { settings, keyspace, index } = this.#redis
    const { until } = this.#time.moment()
    const args = [...momentOf({ stamp, until }), known.join(','), record?.ttlMs ?? settings.ttlMs, settings.rememberGoneMs, ...(record?.fields.flat() ?? [])]
    const name = encodeId(id, 'session id')
    if (record !== undefined) await index.add(name, record.ttlMs)
    const reply = inTime(await keyspace.run(mergeOperation, [this.#redis.key(id), this.#redis.companion(id, 'gone')], args)) as [string, string[]]
    if (record === undefined && reply[0] !== 'kept') await index.remove(name)
    const [outcome, there] = reply
    return { outcome, there: pairs(there), now: outcome === 'kept' ? await this.#redis.read(id) : undefined }
  }
}
