import { CHANGED } from './record-operations.js'
import type { SessionRecord, SessionRecords } from './session-records.js'

/** What this process knows of a session that it has seen. */
interface Note {
  /** Stamps under which Redis may have it without anybody else having changed it since. */
  known: readonly string[]
  /** When it was removed here, if it was. */
  readonly goneAt: number | undefined
}

interface UntoldNote extends Note {
  /** Whether it was changed here; else it is only put back, since Redis may have lost its data. */
  readonly isChange: boolean
}

/** A session that Redis has to be told of, as it is at the moment. */
export interface Untold {
  readonly id: string
  readonly note: UntoldNote
  /** `undefined`: it was removed. */
  readonly record: SessionRecord | undefined
  /** When it became that. */
  readonly stamp: number
}

/** So many stamps are enough: one that Redis told, which comes first, and those of the last calls nobody knows the end of. */
const MOST_KNOWN = 8
/** As many as there can be in memory: beyond it what Redis was not told is forgotten too. */
const MOST_UNTOLD = 100_000

/** A copy in memory of the sessions that this process has seen, with what is needed to tell Redis what became of them. */
export class SeenSessions {
  readonly memory: SessionRecords
  readonly #maxSessions: number
  /** As they were seen: those that were seen first come first. */
  readonly #told = new Map<string, Note>()
  readonly #untold = new Map<string, UntoldNote>()

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

  /** What there is to tell of it now. `undefined`: nothing, it has expired. */
  toTell(id: string): Untold | undefined {
    const note = this.#untold.get(id)
    const record = this.memory.read(id) as SessionRecord | undefined
    if (note === undefined) return undefined
    if (record !== undefined || note.goneAt !== undefined) return { id, note, record, stamp: note.goneAt ?? stampOf(record) }
    this.#untold.delete(id)
    return undefined
  }

  /** Redis was told. What was changed since then is still to tell. */
  wasTold({ id, note }: Untold): void {
    if (this.#untold.get(id) !== note) return
    this.#untold.delete(id)
    this.#told.set(id, note)
    this.#bound()
  }

  /** A server that was started anew may have lost what it had. */
  giveAllBack(): void {
    for (const [id, note] of this.#told) this.#untold.set(id, { ...note, isChange: false })
    this.#told.clear()
  }

  /** Memory has it as Redis does. What was changed here since stays. */
  adopt(id: string, record: SessionRecord | undefined): void {
    if (this.#untold.has(id)) return
    this.#told.delete(id)
    if (record === undefined) {
      void this.memory.remove(id)
      return
    }
    void this.memory.put(id, record)
    this.#told.set(id, { known: [String(stampOf(record))], goneAt: undefined })
    this.#bound()
  }

  /** It was changed here, or removed, and Redis does not know. */
  changed(id: string, goneAt?: number): void {
    this.#untold.set(id, { known: this.#noteOf(id)?.known ?? [], goneAt, isChange: true })
    this.#told.delete(id)
    this.#bound()
  }

  /** Redis may have done what it did not confirm. */
  mayBeKnown(id: string, stamp: number): void {
    const note = this.#noteOf(id) ?? { known: [], goneAt: undefined }
    const [first = '', ...others] = new Set([...note.known, String(stamp)])
    note.known = [first, ...others.slice(1 - MOST_KNOWN)]
    if (!this.#untold.has(id)) this.#told.set(id, note)
    this.#bound()
  }

  #noteOf(id: string): Note | undefined {
    return this.#untold.get(id) ?? this.#told.get(id)
  }

  /** Those that were seen first go, and what Redis was not told last of all. */
  #bound(): void {
    if (this.#told.size + this.#untold.size > this.#maxSessions) this.#forgetFirst(this.#told)
    if (this.#untold.size > MOST_UNTOLD) this.#forgetFirst(this.#untold)
  }

  #forgetFirst(notes: Map<string, Note>): void {
    const [first] = notes.keys()
    if (first === undefined) return
    notes.delete(first)
    void this.memory.remove(first)
  }
}

function stampOf(record: SessionRecord | undefined): number {
  return Number(record?.fields.find(([name]) => name === CHANGED)?.[1] ?? 0)
}
