/** The source held that version, or a newer one, from `ended` on at the latest. */
export interface WriteEvent {
  readonly type: 'write'
  readonly key: string
  readonly version: number
  readonly began: number
  readonly ended: number
}

export interface InvalidateEvent {
  readonly type: 'invalidate'
  /** `'all'` are those that were ever written. */
  readonly keys: readonly string[] | 'all'
  readonly durable: boolean
  readonly began: number
  readonly ended: number
}

/** Reads of one version that began close together. */
export interface ReadEvent {
  readonly type: 'read'
  readonly key: string
  readonly version: number
  readonly count: number
  /** Whether memory was not asked. */
  readonly pastMemory: boolean
  /** When the first and the last of them began. */
  readonly first: number
  readonly last: number
}

/** From now on nothing is written or invalidated, and what was has arrived everywhere; or that is over. */
export interface RestEvent {
  readonly type: 'rest'
  readonly begins: boolean
  readonly at: number
}

/** Times are milliseconds of the monotonic clock that the processes of a machine share. */
export type ConsistencyEvent = WriteEvent | InvalidateEvent | ReadEvent | RestEvent

/** What a recorder has seen: plain data, that can be sent to another process. */
export interface ConsistencyBatch {
  readonly recorder: string
  readonly events: readonly ConsistencyEvent[]
  /** Reads that found nothing. */
  readonly nothing: number
  /** Events that were dropped because nobody took them in time. */
  readonly lost: number
}
