import { PROCESSES } from './rows.js'
import type { Recovery } from './recovery.js'
import type { Outcome } from './soak.js'

const WRONG = 'values of another key'

/** Whether everything was as promised. */
export function isFine({ report, figures, crashes, pending, recoveries }: Outcome): boolean {
  return report.ok && pending === 0 && crashes.length === 0 && recoveries.every(({ ms }) => ms !== undefined) && figures.length === PROCESSES && figures.every(({ failed, counts }) => failed === 0 && (counts[WRONG] ?? 0) === 0)
}

export function printOutcome(outcome: Outcome): string {
  const { wanted, report, figures, crashes, pending, faults, recoveries, timerMs } = outcome
  const counts = new Map<string, number>()
  for (const each of figures) for (const [what, count] of Object.entries(each.counts)) counts.set(what, (counts.get(what) ?? 0) + count)
  const times = figures.flatMap((each) => each.times).sort((a, b) => a - b)
  const failed = figures.reduce((sum, each) => sum + each.failed, 0)
  const lines = [
    '',
    `soak: ${wanted.subject}, ${wanted.stage}, ${wanted.seconds} s, ${PROCESSES} processes of ${wanted.callers} callers, ${wanted.hasFaults ? 'with faults' : 'calm'}${wanted.without.map((name) => `, without ${name}`).join('')}, seed ${wanted.seed}: ${isFine(outcome) ? 'ok' : 'NOT ok'}`,
    `  reads a second                            ${number(report.reads / wanted.seconds)}`,
    `  a read took                               p50 ${quantile(times, 0.5)}, p99 ${quantile(times, 0.99)}, p99.9 ${quantile(times, 0.999)}`,
    `  calls that failed because of the cache    ${number(failed)}`,
    `  calls that never ended                    ${number(pending)}`,
    `  values of another key                     ${number(counts.get(WRONG) ?? 0)}`,
    `  crashes and unhandled rejections          ${number(crashes.length)}`,
    `  all well again                            ${recoveryTimes(recoveries)}`,
    `  a timer of 10 ms took                     p99 ${timerMs.toFixed(0)} ms`,
    String(report),
    'what the processes did, and counted',
    ...table(counts),
    ...(faults.size === 0 ? [] : ['faults', ...table(faults)]),
    ...[...crashes, ...figures.flatMap(({ failures }) => failures)].slice(0, 10).map((why) => `  - ${why}`),
    '',
  ]
  return lines.join('\n')
}

function recoveryTimes(recoveries: readonly Recovery[]): string {
  const late = recoveries.filter(({ ms }) => ms === undefined)
  if (late.length > 0) return `NOT in time after ${late.map(({ after }) => after).join(', ')}`
  const times = recoveries.toSorted((a, b) => (a.ms ?? 0) - (b.ms ?? 0))
  const longest = times.at(-1)
  if (longest === undefined) return '-'
  const sorted = times.map(({ ms = 0 }) => ms)
  return `${recoveries.length} times waited for: p50 ${quantile(sorted, 0.5)}, longest ${quantile(sorted, 1)} after ${longest.after}`
}

function table(counts: ReadonlyMap<string, number>): string[] {
  return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([what, count]) => `  ${what.padEnd(50)}${number(count).padStart(10)}`)
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function quantile(sorted: readonly number[], part: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return value === undefined ? '-' : `${value.toFixed(value < 10 ? 2 : 0)} ms`
}
