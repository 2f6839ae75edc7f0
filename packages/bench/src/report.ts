import { cpus } from 'node:os'
import type { Comparison, Figure, Result } from './comparison.js'

/** What `--json` prints. */
export interface Report {
  readonly schema: 1
  readonly effort: 'full' | 'quick'
  readonly node: string
  readonly processor: string
  readonly processors: number
  readonly benchmarks: readonly Result[]
  /** Names of benchmarks that need a Redis, when there is none. */
  readonly leftOut: readonly string[]
  /** Lines that have a target, and how many of them reached it. */
  readonly targets: { readonly set: number; readonly reached: number }
}

export function reportOf(effort: Report['effort'], benchmarks: readonly Result[], leftOut: readonly string[] = []): Report {
  const judged = benchmarks.flatMap(({ comparisons }) => comparisons).filter(({ target }) => target !== undefined)
  return {
    schema: 1,
    effort,
    node: process.version,
    processor: cpus()[0]?.model ?? 'unknown',
    processors: cpus().length,
    benchmarks,
    leftOut,
    targets: { set: judged.length, reached: judged.filter(({ reached }) => reached).length },
  }
}

const headers = ['tiercel', 'value', 'its median', 'compared with', 'its median', 'ratio', 'half of rounds', 'processor', 'target', '']
const processorColumn = 7

export function printResult({ title, comparisons, notes }: Result): string {
  const hasProcessor = comparisons.some(({ processorRatio }) => processorRatio !== undefined)
  const shown = (row: readonly string[]) => (hasProcessor ? row : row.filter((_, column) => column !== processorColumn))
  const titles = shown(headers)
  const rows = comparisons.map((comparison) => shown(cells(comparison)))
  const widths = titles.map((header, column) => Math.max(header.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => `  ${row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  ')}`.trimEnd()
  const rule = `  ${'-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))}`
  return ['', title, line(titles), rule, ...rows.map(line), ...notes.map((note) => `  ${note}`), ''].join('\n')
}

export function printEnd({ targets, benchmarks, leftOut, node, processors, effort }: Report): string {
  const missed = benchmarks.flatMap(({ name, comparisons }) =>
    comparisons
      .filter(({ reached }) => reached === false)
      .map((each) => `  missed: ${name}, ${each.us.name}${each.value === undefined ? '' : `, ${each.value}`}, against ${each.peer.name}: ${ratio(each.ratio)}, target ${targetOf(each)}`),
  )
  const about = `Ratios are medians over interleaved rounds in one run (${effort}), Node ${node}, ${processors} processors; times are information only.`
  const without = leftOut.length === 0 ? [] : [`LEFT OUT, as there is no Redis: ${leftOut.join(', ')}`]
  return ['', `${targets.reached} of ${targets.set} targets reached`, ...missed, ...without, about, ''].join('\n')
}

function cells(comparison: Comparison): string[] {
  const { value = '', us, peer, spread, reached } = comparison
  return [
    us.name,
    value,
    amount(us),
    peer.name,
    amount(peer),
    ratio(comparison.ratio),
    spread.map(short).join(' to '),
    comparison.processorRatio === undefined ? '' : short(comparison.processorRatio),
    targetOf(comparison),
    reached === undefined ? '' : reached ? 'reached' : 'MISSED',
  ]
}

/** Of what is cheaper, how many times it is. */
export function ratio(value: number): string {
  return value >= 1 ? short(value) : `${short(value)} (${(1 / value).toFixed(1)}x less)`
}

function short(value: number): string {
  return value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)
}

function targetOf({ target }: Comparison): string {
  if (target === undefined) return ''
  return target >= 1 ? `at most ${target}` : `${(1 / target).toFixed(0)}x less`
}

function amount({ median, unit }: Figure): string {
  if (unit === 'steps' || unit === 'commands' || unit === 'loads') return `${median} ${unit}`
  if (unit === 'bytes') return median < 10_000 ? `${median} bytes` : `${(median / 2 ** 20).toFixed(1)} MB`
  if (median < 1000) return `${median.toFixed(median < 100 ? 1 : 0)} ns`
  if (median < 1e6) return `${(median / 1000).toFixed(median < 1e5 ? 2 : 0)} us`
  return `${(median / 1e6).toFixed(1)} ms`
}

const numeric = new Set([2, 4, 5, 6])

function pad(cell: string, width: number, column: number): string {
  return numeric.has(column) ? cell.padStart(width) : cell.padEnd(width)
}
