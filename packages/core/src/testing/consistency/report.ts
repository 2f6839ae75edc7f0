/**
 * - `too-old`: a value that a durable invalidation had covered, in a read that began more than the bound after it had resolved; at once for reads past memory
 * - `own`: a value that an invalidation of the same cache had covered, durable or not, in a read that began after it had resolved
 * - `disagreement`: at rest, a value older than any invalidation had covered, or another one than others were given
 * - `unwritten`: a version that nobody ever wrote: a value that is broken, or another key's
 */
export type ViolationKind = 'too-old' | 'own' | 'disagreement' | 'unwritten'

/** One that was found, out of so many. */
export interface Violation {
  readonly kind: ViolationKind
  /** Who read. */
  readonly recorder: string
  readonly key: string
  readonly version: number
  /** What it should at least have been; at rest, what it was for others. */
  readonly expected: number
  /** When the read began, as `recorder.now()` tells it. */
  readonly at: number
  /** How long before that the value should have been gone. */
  readonly lateMs: number
}

const TITLES: Readonly<Record<ViolationKind, string>> = {
  'too-old': 'older than promised',
  own: 'older than invalidated by the same cache',
  disagreement: 'in disagreement at rest',
  unwritten: 'of a version that nobody wrote',
}
const KINDS = Object.keys(TITLES) as readonly ViolationKind[]

/** What came of it, so far. `String(report)` is for people. */
export class ConsistencyReport {
  /** Nothing was violated, and everything was looked at. */
  readonly ok: boolean
  /** Of how many recorders anything was seen. */
  readonly recorders: number
  readonly keys: number
  readonly reads: number
  /** Of those reads, the ones that found nothing. */
  readonly nothing: number
  readonly writes: number
  readonly invalidations: number
  /** Of those invalidations, the ones that were durable. */
  readonly durable: number
  /** Reads of a value that a durable invalidation had covered before, within the bound or not. */
  readonly staleReads: number
  /** For how long after it had resolved the last of them began: the bound that was held. */
  readonly heldMs: number
  readonly boundMs: number
  /** How many reads, at least, by kind. */
  readonly violations: Readonly<Record<ViolationKind, number>>
  /** The first few of each kind. */
  readonly examples: readonly Violation[]
  /** Events that recorders had to drop. */
  readonly lost: number
  /** Writes and invalidations that were added when later reads had been judged already. */
  readonly late: number

  constructor(facts: Omit<ConsistencyReport, 'ok' | 'toString'>) {
    this.ok = facts.lost === 0 && facts.late === 0 && KINDS.every((kind) => facts.violations[kind] === 0)
    this.recorders = facts.recorders
    this.keys = facts.keys
    this.reads = facts.reads
    this.nothing = facts.nothing
    this.writes = facts.writes
    this.invalidations = facts.invalidations
    this.durable = facts.durable
    this.staleReads = facts.staleReads
    this.heldMs = facts.heldMs
    this.boundMs = facts.boundMs
    this.violations = facts.violations
    this.examples = facts.examples
    this.lost = facts.lost
    this.late = facts.late
  }

  toString(): string {
    const rows: [string, string][] = [
      ['reads', `${number(this.reads)}, ${number(this.nothing)} of them found nothing; ${number(this.keys)} keys, ${number(this.recorders)} recorders`],
      ['writes', number(this.writes)],
      ['invalidations', `${number(this.invalidations)}, ${number(this.durable)} of them durable`],
      ['stale within the bound', `${number(this.staleReads - this.violations['too-old'])}`],
      ['bound held', `${duration(this.heldMs)} of ${duration(this.boundMs)}`],
      ...KINDS.map((kind): [string, string] => [TITLES[kind], number(this.violations[kind])]),
      ...(this.lost > 0 ? [['events that were dropped', number(this.lost)] satisfies [string, string]] : []),
      ...(this.late > 0 ? [['changes told too late', number(this.late)] satisfies [string, string]] : []),
    ]
    const width = Math.max(...rows.map(([title]) => title.length))
    const examples = this.examples.map(
      ({ kind, recorder, key, version, expected, lateMs }) => `${TITLES[kind]}: ${recorder} read version ${version} of ${key}${kind === 'unwritten' ? '' : `, not ${expected}`}, ${duration(lateMs)} late`,
    )
    return [`consistency: ${this.ok ? 'ok' : 'NOT ok'}`, ...rows.map(([title, value]) => `  ${title.padEnd(width)}  ${value}`), ...examples.map((example) => `  - ${example}`)].join('\n')
  }
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`
}
