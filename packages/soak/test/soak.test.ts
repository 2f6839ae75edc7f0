import { createConsistencyChecker } from '@tiercel/core/testing'
import { expect, it } from 'vitest'
import { Random } from '../src/random.js'
import { isFine, printOutcome } from '../src/report.js'
import { reachedBy, rows, targetAround, type Row } from '../src/rows.js'
import type { Outcome } from '../src/soak.js'

const outcome = (change: Partial<Outcome> = {}): Outcome => ({
  wanted: { subject: 'tiercel', stage: 'standalone', seconds: 1, seed: 1, hasFaults: true, callers: 12, without: [] },
  report: createConsistencyChecker({ bound: '1s' }).report(),
  figures: Array.from({ length: 4 }, () => ({ counts: { loads: 2 }, failed: 0, failures: [], times: [1] })),
  crashes: [],
  pending: 0,
  faults: new Map([['Redis is full', 3]]),
  recoveries: [{ after: 'Redis is full', ms: 7 }, { after: 'all of it', ms: 5 }],
  timerMs: 12.3,
  ...change,
})

it('the same seed gives the same numbers', () => {
  const numbers = (seed: number) => {
    const random = new Random(seed)
    return Array.from({ length: 10 }, () => random.below(1000))
  }
  expect(numbers(5)).toEqual(numbers(5))
  expect(numbers(5)).not.toEqual(numbers(6))
})

it('weights decide how often a name comes', () => {
  const random = new Random(1)
  const names = Array.from({ length: 1000 }, () => random.weighted({ often: 9, seldom: 1, never: 0 }))
  const often = names.filter((name) => name === 'often').length
  expect(often).toBeGreaterThan(850)
  expect(often).toBeLessThan(950)
  expect(names).not.toContain('never')
})

it('a target around a row reaches that row, and none of another namespace', () => {
  for (const row of rows) {
    for (const kind of ['key', 'tag', 'room', 'pattern'] as const) {
      const reached = reachedBy(targetAround(row, kind))
      expect(reached).toContain(row)
      expect(new Set(reached.map(({ namespace }) => namespace))).toEqual(new Set([row.namespace]))
    }
  }
})

it('everything of the first level is everything, and of a namespace what is in it', () => {
  const [first, inner] = [rows.find(({ namespace }) => namespace === undefined), rows.find(({ namespace }) => namespace !== undefined)] as [Row, Row]
  expect(reachedBy(targetAround(first, 'all'))).toEqual(rows)
  expect(reachedBy(targetAround(inner, 'all')).every(({ namespace }) => namespace === inner.namespace)).toBe(true)
})

it('each way to label a row, and each process, has rows of its own', () => {
  expect(new Set(rows.map(({ writer }) => writer))).toEqual(new Set([0, 1, 2, 3]))
  expect(new Set(rows.map(({ isLabelledByLoader, namespace }) => `${isLabelledByLoader} ${namespace}`)).size).toBe(4)
  expect(new Set(rows.map(({ hasGrace, isFlaky }) => `${hasGrace} ${isFlaky}`)).size).toBe(4)
})

it('all well is ok, and says what was done', () => {
  const printed = printOutcome(outcome())
  expect(isFine(outcome())).toBe(true)
  expect(printed).toContain('seed 1: ok')
  expect(printed).toMatch(/loads +8\n/)
  expect(printed).toMatch(/Redis is full +3\n/)
  expect(printed).toContain('p99 12 ms')
  expect(printed).toContain('2 times waited for: p50 7.00 ms, longest 7.00 ms after Redis is full')
})

it.each<[string, Partial<Outcome>]>([
  ['a crash', { crashes: ['process 1 ended with 1'] }],
  ['a call that never ended', { pending: 1 }],
  ['a process that says nothing', { figures: [] }],
  ['a recovery that never came', { recoveries: [{ after: 'Redis is full', ms: undefined }] }],
  ['a call that failed', { figures: [{ counts: {}, failed: 1, failures: ['Error: timed out'], times: [] }, ...outcome().figures.slice(1)] }],
  ['a value of another key', { figures: [{ counts: { 'values of another key': 1 }, failed: 0, failures: [], times: [] }, ...outcome().figures.slice(1)] }],
])('%s is not ok', (_, change) => {
  expect(isFine(outcome(change))).toBe(false)
})

it('a value that is too old is not ok', () => {
  const checker = createConsistencyChecker({ bound: 0 })
  const recorder = checker.recorder('process 0')
  recorder.wrote('row:1', 1, recorder.now())
  recorder.invalidated('row:1', recorder.now(), { durable: true })
  recorder.read('row:1', 0, recorder.now() + 1)
  expect(isFine(outcome({ report: checker.report() }))).toBe(false)
})
