import { InvalidArgumentError } from '../../errors/index.js'
import { monotonicMs } from '../real-time.js'
import type { ConsistencyBatch, ConsistencyEvent, ReadEvent } from './events.js'

/** Reads of one version that began within so many milliseconds are kept as one event. */
const SPAN_MS = 5
const MOST_EVENTS = 200_000

type OpenRun = { -readonly [Field in keyof ReadEvent]: ReadEvent[Field] }

export interface RecorderOptions {
  /** How many events may wait to be taken; more are dropped and counted, and the report is not complete then. Default 200,000. */
  readonly maxEvents?: number
}

/**
 * Writes down what one cache did: where it belongs in time, and which version of the source's data it gave.
 *
 * What the time of a call is begins before the call: `const began = recorder.now()`. What is recorded is what came of it, so calls that failed are not.
 */
export class ConsistencyRecorder {
  /** Of the cache, or of the process if it has one. What one invalidates, the same one must not read again. */
  readonly name: string
  readonly #maxEvents: number
  readonly #onFull: (() => void) | undefined
  /** The reads that may be joined by another, by key. */
  readonly #runs = new Map<string, OpenRun>()
  #events: ConsistencyEvent[] = []
  #nothing = 0
  #lost = 0

  constructor(name: string, maxEvents: number, onFull?: () => void) {
    this.name = name
    this.#maxEvents = maxEvents
    this.#onFull = onFull
  }

  /** Milliseconds of the monotonic clock that the processes of a machine share, also under a fake clock. */
  now(): number {
    return monotonicMs()
  }

  /**
   * The source has that version of a key.
   *
   * @param version A whole number from 1, larger for newer ones. What was there at the beginning is 0.
   */
  wrote(key: string, version: number, began: number): void {
    mustBeVersion(version, 1)
    this.#add({ type: 'write', key, version, began, ended: this.now() })
  }

  /**
   * An invalidation has resolved. It covers what was written to its keys before it began.
   *
   * @param keys Those it reaches, however they were named; `'all'` are all that were ever written.
   * @param durable What it resolved to.
   */
  invalidated(keys: string | readonly string[], began: number, { durable }: { readonly durable: boolean }): void {
    const reached = keys === 'all' || typeof keys !== 'string' ? (keys as 'all' | readonly string[]) : [keys]
    this.#add({ type: 'invalidate', keys: reached, durable, began, ended: this.now() })
  }

  /** A read has given that version; `undefined` when it found nothing, which is never wrong. */
  read(key: string, version: number | undefined, began: number): void {
    this.#read(key, version, began, false)
  }

  /** As `read`, for one that did not ask memory: it may not be older than what any cache has durably invalidated before it began. */
  readPastMemory(key: string, version: number | undefined, began: number): void {
    this.#read(key, version, began, true)
  }

  /** Nothing is being written or invalidated any more, and the time in which others may not have heard of it is over: from now on all reads must agree, until `wake`. */
  rest(): void {
    this.#add({ type: 'rest', begins: true, at: this.now() })
  }

  /** Something will be written or invalidated again. */
  wake(): void {
    this.#add({ type: 'rest', begins: false, at: this.now() })
  }

  /** What was recorded since the last time, for `ConsistencyChecker.add` of this or another process. */
  take(): ConsistencyBatch {
    for (const run of this.#runs.values()) this.#events.push(run)
    const batch = { recorder: this.name, events: this.#events, nothing: this.#nothing, lost: this.#lost }
    this.#runs.clear()
    this.#events = []
    this.#nothing = 0
    this.#lost = 0
    return batch
  }

  #read(key: string, version: number | undefined, began: number, pastMemory: boolean): void {
    if (version === undefined) {
      this.#nothing++
      return
    }
    const run = this.#runs.get(key)
    if (run !== undefined && run.version === version && run.pastMemory === pastMemory && Math.abs(began - run.first) <= SPAN_MS && Math.abs(began - run.last) <= SPAN_MS) {
      run.count++
      if (began > run.last) run.last = began
      else if (began < run.first) run.first = began
      return
    }
    mustBeVersion(version, 0)
    this.#makeRoom()
    if (this.#isFull) {
      this.#lost++
      return
    }
    // Making room may have delivered it.
    if (run !== undefined && this.#runs.has(key)) this.#events.push(run)
    this.#runs.set(key, { type: 'read', key, version, count: 1, pastMemory, first: began, last: began })
  }

  #add(event: ConsistencyEvent): void {
    this.#makeRoom()
    if (this.#isFull) this.#lost++
    else this.#events.push(event)
  }

  get #isFull(): boolean {
    return this.#events.length + this.#runs.size >= this.#maxEvents
  }

  #makeRoom(): void {
    if (this.#isFull) this.#onFull?.()
  }
}

function mustBeVersion(version: number, least: number): void {
  if (!Number.isSafeInteger(version) || version < least) throw new InvalidArgumentError(`a version must be a whole number, ${least} or more`)
}

/** Records in a process of its own: send what `take()` gives to the process that has the checker, now and then. */
export function createConsistencyRecorder(name: string, { maxEvents = MOST_EVENTS }: RecorderOptions = {}): ConsistencyRecorder {
  if (name === '') throw new InvalidArgumentError('a recorder needs a name: that of its cache or process')
  return new ConsistencyRecorder(name, maxEvents)
}
