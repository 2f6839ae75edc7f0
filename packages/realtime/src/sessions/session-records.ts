import { RedisUnavailableError } from '@tiercel/core'
import { decodeId, encodeId } from '../backend/names.js'
import { after, type Awaitable, beside, type Keyspace, type Value } from '../keyspace/keyspace.js'
import { pairs } from '../keyspace/reply.js'
import { inSteps, step, together } from '../keyspace/steps.js'
import { IdIndex } from './id-index.js'
import { readOperation, removeOperation, writeOperation } from './record-operations.js'
import type { FieldChanges } from './session.js'

/** When something is wanted, in microseconds of Redis time, and until when: later it is not done. Without it: whenever it arrives. */
export interface Moment {
  readonly stamp: number
  readonly until: number | undefined
}

/** A session as it is kept: its fields as text, and how long it lives. */
export interface SessionRecord {
  readonly fields: readonly (readonly [name: string, text: string])[]
  readonly ttlMs: number
}

export interface RecordSettings {
  readonly prefix: string
  /** What the keys are called: `<prefix><kind>:<id>`. */
  readonly kind: string
  readonly ttlMs: number
  /** For how long it is remembered that a session was removed. 0: not at all. */
  readonly rememberGoneMs: number
  /** What lives in keys beside the session's, and as long. */
  readonly companions: readonly string[]
}

/** Said by a server that got to a command after whoever sent it had given up. */
export class LateError extends RedisUnavailableError {}

/** Sessions on any keyspace: each a hash of which fields are written, never the whole, so that who writes different fields at once loses nothing. */
export class SessionRecords {
  readonly keyspace: Keyspace
  readonly index: IdIndex
  readonly settings: RecordSettings

  constructor(keyspace: Keyspace, settings: RecordSettings) {
    this.keyspace = keyspace
    this.settings = settings
    this.index = new IdIndex(keyspace, `${settings.prefix}index:${settings.kind}`)
  }

  key(id: string): string {
    return `${this.settings.prefix}${this.settings.kind}:${encodeId(id, 'session id')}`
  }

  companion(id: string, name: string): string {
    return beside(this.key(id), name)
  }

  write(id: string, mode: 'create' | 'change', { set, gone }: FieldChanges, moment?: Moment): Awaitable<SessionRecord | undefined> {
    const { ttlMs } = this.settings
    const { index, keyspace } = this
    const keys = this.#keys(id)
    const name = encodeId(id, 'session id')
    return inSteps(function* () {
      const written = keyspace.run(writeOperation, keys, [...momentOf(moment), mode, ttlMs, set.length / 2, ...set, ...gone])
      // Both leave together: should only one of them arrive, the index has a name too many until that expires, or lacks one until the next change.
      const [reply = null] = yield* step(together([written, index.add(name, ttlMs)]))
      const record = recordOf(inTime(reply))
      if (record === undefined) yield* step(index.remove(name))
      return record
    })
  }

  read(id: string): Awaitable<SessionRecord | undefined> {
    return after(this.keyspace.run(readOperation, [this.key(id)], []), recordOf)
  }

  remove(id: string, moment?: Moment): Awaitable<boolean> {
    const removed = this.keyspace.run(removeOperation, this.#keys(id), [...momentOf(moment), this.settings.rememberGoneMs])
    return after(removed, (reply) => after(this.index.remove(encodeId(id, 'session id')), () => inTime(reply) === 1))
  }

  /** As it is in another keyspace. */
  put(id: string, { fields, ttlMs }: SessionRecord): Awaitable<unknown> {
    const { index, keyspace } = this
    const key = this.key(id)
    return inSteps(function* () {
      yield* step(keyspace.send(['UNLINK', key]))
      yield* step(keyspace.send(['HSET', key, ...fields.flat()]))
      yield* step(keyspace.send(['PEXPIRE', key, ttlMs]))
      yield* step(index.add(encodeId(id, 'session id'), ttlMs))
    })
  }

  count(): Awaitable<number> {
    return after(this.index.count(), ({ left }) => left)
  }

  /** Ids of those there are; those that expire first come first. */
  list(most: number): Awaitable<string[]> {
    return after(this.index.list(most), (ids) => ids.map(decodeId))
  }

  #keys(id: string): string[] {
    return [this.key(id), this.companion(id, 'gone'), ...this.settings.companions.map((name) => this.companion(id, name))]
  }
}

export function momentOf(moment: Moment | undefined): (string | number)[] {
  return [moment?.stamp ?? '', moment?.until ?? '']
}

export function inTime(reply: Value): Value {
  if (reply === 'late') throw new LateError('Redis got to it too late')
  return reply
}

function recordOf(reply: Value): SessionRecord | undefined {
  if (!Array.isArray(reply)) return undefined
  return { fields: pairs(reply[0]), ttlMs: Number(reply[1]) }
}
