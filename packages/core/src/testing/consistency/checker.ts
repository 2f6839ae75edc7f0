/**
 * Judges what caches gave to their readers, by what they had been told to forget.
 *
 * The source is modelled by versions that only grow. What an invalidation covers of a key is the newest version that was written before the invalidation began: from
 * when it has resolved, a read may give that or a newer one. So all that has to be remembered of a key are three histories of versions: what was written, what
 * durable invalidations have covered, and what any have; and of each recorder what its own have covered. A read is compared with what a history had when the read
 * began, or a bound earlier.
 *
 * Events of several processes come in any order, so they wait for a while and are judged in the order of their time. At one time, changes come before
 * reads. A read is only held against what had resolved before it began; a run of reads is judged by its first and its last, so the counts are lower bounds and
 * whether there is a violation is exact.
 */
import { toMs, type Duration } from '../../options/duration.js'
import type { ConsistencyBatch, ConsistencyEvent, InvalidateEvent, ReadEvent } from './events.js'
import { ConsistencyRecorder } from './recorder.js'
import { ConsistencyReport, type Violation, type ViolationKind } from './report.js'
import { Steps } from './steps.js'

const MOST_WAITING = 500_000
const EVENTS_OF_A_RECORDER = 10_000
const EXAMPLES_OF_EACH_KIND = 5
/** Versions of one key that were read before anybody had recorded to have written them. */
const MOST_AHEAD = 100

export interface ConsistencyOptions {
  /** For how long after a durable invalidation an older value may be read: the `maxStaleness` of the caches. */
  readonly bound: Duration
  /** How long events wait for those of others, before they are judged. Default `'10s'`. */
  readonly window?: Duration
}

/** @example const checker = createConsistencyChecker({ bound: '5s' }) */
export function createConsistencyChecker({ bound, window = '10s' }: ConsistencyOptions): ConsistencyChecker {
  return new ConsistencyChecker(toMs(bound, 'bound'), toMs(window, 'window'))
}

class Key {
  readonly written = new Steps()
  readonly durable = new Steps()
  readonly covered = new Steps()
  /** By recorder. */
  readonly own = new Map<string, Steps>()
  /** Reads of versions that may have been written by somebody whose record is still to come. */
  ahead: Sighting[] = []
  /** What was read first since everything came to rest. */
  atRest: number | undefined
}

interface Sighting {
  readonly recorder: string
  readonly read: ReadEvent
}

interface Waiting {
  readonly recorder: string
  readonly event: ConsistencyEvent
  readonly time: number
}

export class ConsistencyChecker {
  readonly #boundMs: number
  readonly #windowMs: number
  readonly #keys = new Map<string, Key>()
  readonly #local = new Map<string, ConsistencyRecorder>()
  readonly #recorders = new Set<string>()
  #waiting: Waiting[] = []
  #newest = -Infinity
  /** Everything up to here has been judged. */
  #judged = -Infinity
  #restingSince = Infinity
  readonly #examples: Violation[] = []
  readonly #violations: Record<ViolationKind, number> = { 'too-old': 0, own: 0, disagreement: 0, unwritten: 0 }
  readonly #counts = { reads: 0, nothing: 0, writes: 0, invalidations: 0, durable: 0, staleReads: 0, heldMs: 0, lost: 0, late: 0 }

  constructor(boundMs: number, windowMs: number) {
    this.#boundMs = boundMs
    this.#windowMs = windowMs
  }

  /** Records for a cache of this process, without anything to be sent. The same one for the same name. */
  recorder(name: string): ConsistencyRecorder {
    const known = this.#local.get(name)
    if (known !== undefined) return known
    const recorder = new ConsistencyRecorder(name, EVENTS_OF_A_RECORDER, () => this.add(recorder.take()))
    this.#local.set(name, recorder)
    return recorder
  }

  /** What a recorder of this or another process has taken down. Those of one recorder in their order; among recorders the order does not matter. */
  add(batch: ConsistencyBatch): void {
    this.#recorders.add(batch.recorder)
    this.#counts.nothing += batch.nothing
    this.#counts.reads += batch.nothing
    this.#counts.lost += batch.lost
    for (const event of batch.events) {
      const time = timeOf(event)
      if (time < this.#judged && event.type !== 'read') this.#counts.late++
      if (time > this.#newest) this.#newest = time
      this.#waiting.push({ recorder: batch.recorder, event, time })
    }
    if (this.#waiting.length > MOST_WAITING) this.#judge(this.#waiting[MOST_WAITING / 2]?.time ?? this.#newest)
    // By halves, so that what waits is not sorted again for every batch.
    else if (this.#newest - this.#judged > 2 * this.#windowMs) this.#judge(this.#newest - this.#windowMs)
  }

  /** Judges all that was added. What is added afterwards and happened before counts as late. */
  report(): ConsistencyReport {
    for (const recorder of this.#local.values()) this.add(recorder.take())
    this.#judge(this.#newest)
    const unwritten = [...this.#keys].flatMap(([name, key]) => key.ahead.filter(({ read }) => read.version > Math.max(0, key.written.newest)).map((sighting) => ({ name, ...sighting })))
    const examples = unwritten.slice(0, EXAMPLES_OF_EACH_KIND).map(
      ({ name, recorder, read }): Violation => ({ kind: 'unwritten', recorder, key: name, version: read.version, expected: 0, at: read.first, lateMs: 0 }),
    )
    return new ConsistencyReport({
      ...this.#counts,
      recorders: this.#recorders.size,
      keys: this.#keys.size,
      boundMs: this.#boundMs,
      violations: { ...this.#violations, unwritten: unwritten.reduce((sum, { read }) => sum + read.count, 0) },
      examples: [...this.#examples, ...examples],
    })
  }

  #judge(horizon: number): void {
    const due = this.#waiting.filter(({ time }) => time <= horizon)
    this.#waiting = this.#waiting.filter(({ time }) => time > horizon)
    due.sort((a, b) => a.time - b.time || rankOf(a.event) - rankOf(b.event))
    for (const { recorder, event } of due) {
      if (event.type === 'read') this.#read(recorder, event)
      else if (event.type === 'invalidate') this.#invalidate(recorder, event)
      else if (event.type === 'rest') this.#rest(event.begins ? event.at : Infinity)
      else {
        this.#counts.writes++
        this.#key(event.key).written.add(event.ended, event.version)
      }
    }
    this.#judged = Math.max(this.#judged, horizon)
  }

  #rest(since: number): void {
    this.#restingSince = since
    for (const key of this.#keys.values()) key.atRest = undefined
  }

  #invalidate(recorder: string, { keys, durable, began, ended }: InvalidateEvent): void {
    this.#counts.invalidations++
    if (durable) this.#counts.durable++
    for (const key of keys === 'all' ? this.#keys.values() : keys.map((name) => this.#key(name))) {
      const covered = key.written.at(began)
      if (covered === -Infinity) continue
      ownOf(key, recorder).add(ended, covered)
      key.covered.add(ended, covered)
      if (durable) key.durable.add(ended, covered)
    }
  }

  #read(recorder: string, read: ReadEvent): void {
    const key = this.#key(read.key)
    this.#counts.reads += read.count
    if (read.version > Math.max(0, key.written.newest)) this.#seeAhead(key, recorder, read)
    const own = key.own.get(recorder)
    if (own !== undefined) this.#compare('own', recorder, read, own, 0)
    this.#compare('too-old', recorder, read, key.durable, read.pastMemory ? 0 : this.#boundMs)
    this.#measure(read, key.durable)
    if (read.last > this.#restingSince) this.#agree(recorder, read, key)
  }

  /** A read may not be older than what the history had `boundMs` before it began. */
  #compare(kind: ViolationKind, recorder: string, read: ReadEvent, history: Steps, boundMs: number): void {
    const expected = history.before(read.last - boundMs)
    if (read.version >= expected) return
    const count = read.version < history.before(read.first - boundMs) ? read.count : 1
    this.#violate({ kind, recorder, key: read.key, version: read.version, expected, at: read.last, lateMs: read.last - history.since(read.version) - boundMs }, count)
  }

  #measure(read: ReadEvent, durable: Steps): void {
    const since = durable.since(read.version)
    if (read.last <= since) return
    this.#counts.staleReads += read.first > since ? read.count : 1
    this.#counts.heldMs = Math.max(this.#counts.heldMs, read.last - since)
  }

  #agree(recorder: string, read: ReadEvent, key: Key): void {
    key.atRest ??= Math.max(read.version, key.covered.newest)
    if (read.version === key.atRest) return
    const since = key.covered.since(read.version)
    const lateMs = since === Infinity ? 0 : read.last - since
    this.#violate({ kind: 'disagreement', recorder, key: read.key, version: read.version, expected: key.atRest, at: read.last, lateMs }, read.first > this.#restingSince ? read.count : 1)
  }

  #seeAhead(key: Key, recorder: string, read: ReadEvent): void {
    key.ahead = key.ahead.filter((sighting) => sighting.read.version > Math.max(0, key.written.newest))
    if (key.ahead.length < MOST_AHEAD) key.ahead.push({ recorder, read })
  }

  #violate(violation: Violation, count: number): void {
    this.#violations[violation.kind] += count
    if (this.#examples.filter(({ kind }) => kind === violation.kind).length < EXAMPLES_OF_EACH_KIND) this.#examples.push(violation)
  }

  #key(name: string): Key {
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = new Key()
      this.#keys.set(name, key)
    }
    return key
  }
}

function ownOf(key: Key, recorder: string): Steps {
  let own = key.own.get(recorder)
  if (own === undefined) {
    own = new Steps()
    key.own.set(recorder, own)
  }
  return own
}

function timeOf(event: ConsistencyEvent): number {
  return event.type === 'read' ? event.last : event.type === 'rest' ? event.at : event.ended
}

function rankOf(event: ConsistencyEvent): number {
  return event.type === 'write' ? 0 : event.type === 'read' ? 2 : 1
}
