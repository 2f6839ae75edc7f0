import { CHANGED } from './record-operations.js'
import type { SessionRecord, SessionRecords } from './session-records.js'

/** What this process knows of a session that it has seen. */
interface Note {
  /** Stamps under which Redis may have it without anybody else having changed it since. */
  readonly known: readonly string[]
  /** When it was removed here, if it was. */
  readonly goneAt: number | undefined
}

/** A session that Redis has to be told of. */
export interface Untold {
  readonly id: string
  /** Whether it was changed here; else it is only put back, since Redis may have lost its data. */
  readonly isChange: boolean
  readonly known: readonly string[]
  /** `undefined`: it was removed. */
  readonly record: SessionRecord | undefined
  /** When it became that. */
  readonly stamp: number
}

/** So many stamps are enough: one that Redis told, which comes first, and those of the last calls nobody knows the end of. */
const MOST_KNOWN = 8
/** As many as there can be in memory: beyond it what Redis was not told is forgotten too. */
const MOST_NOTES = 100_000

/** A copy in memory of the sessions that this process has seen, with what is needed to tell Redis what became of them. */
export class SeenSessions {
  readonly memory: SessionRecords
  readonly #maxSessions: number
  readonly #notes = new Map<string, Note>()
  readonly #untold = new Map<string, Pick<Untold, 'isChange'>>()

  /** `memory` is on a keyspace that answers at once. */
  constructor(memory: SessionRecords, maxSessions: number) {
    this.memory = memory
    this.#maxSessions = maxSessions
  }

  get size(): number {
    return this.memory.count() as number
  }

  get untold(): readonly string[] {
    return [...this.#untold.keys()]
  }

  get isAllTold(): boolean {
    return this.#untold.size === 0
  }

  /** It counts as told from now on. `undefined`: it has expired, and nothing is left to tell of it. */
  take(id: string): Untold | undefined {
    const untold = this.#untold.get(id)
    const note = this.#notes.get(id)
    const record = this.memory.read(id) as SessionRecord | undefined
    this.#untold.delete(id)
    if (untold === undefined || note === undefined || (record === undefined && note.goneAt === undefined)) return undefined
    return { id, ...untold, known: note.known, record, stamp: note.goneAt ?? stampOf(record) }
  }

  /** It could not be told. What was changed since then stays. */
  giveBack({ id, isChange }: Untold): void {
    if (!this.#untold.has(id)) this.#untold.set(id, { isChange })
  }

  /** A server that was started anew may have lost what it had. */
  giveAllBack(): void {
    for (const id of this.#notes.keys()) if (!this.#untold.has(id)) this.#untold.set(id, { isChange: false })
  }

  /** Memory has it as Redis does. What was changed here since stays. */
  adopt(id: string, record: SessionRecord | undefined): void {
    if (this.#untold.has(id)) return
    this.#notes.delete(id)
    if (record === undefined) {
      void this.memory.remove(id)
      return
    }
    void this.memory.put(id, record)
    this.#note(id, { known: [String(stampOf(record))], goneAt: undefined })
  }

  /** It was changed here, or removed, and Redis does not know. */
  changed(id: string, goneAt?: number): void {
    this.#untold.set(id, { isChange: true })
    this.#note(id, { known: this.#notes.get(id)?.known ?? [], goneAt })
  }

  /** Redis may have done what it did not confirm. */
  mayBeKnown(id: string, stamp: number): void {
    const { known = [], goneAt } = this.#notes.get(id) ?? {}
    const [first, ...others] = [...new Set([...known, String(stamp)])]
    this.#note(id, { known: [first ?? String(stamp), ...others.slice(1 - MOST_KNOWN)], goneAt })
  }

  /** Bounded: those that were seen first, and are told, go. */
  #note(id: string, note: Note): void {
    this.#notes.delete(id)
    this.#notes.set(id, note)
    if (this.#notes.size <= this.#maxSessions) return
    for (const oldest of this.#notes.keys()) {
      if (this.#untold.has(oldest) && this.#notes.size <= MOST_NOTES) continue
      this.#notes.delete(oldest)
      this.#untold.delete(oldest)
      void this.memory.remove(oldest)
      return
    }
  }
}

function stampOf(record: SessionRecord | undefined): number {
  return Number(record?.fields.find(([name]) => name === CHANGED)?.[1] ?? 0)
}
