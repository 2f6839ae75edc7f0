import { inChild } from '../children/child.js'
import { compare } from '../comparison.js'
import { seriesOf } from '../measure.js'
import { expect } from '../misbehaviour.js'
import type { Benchmark } from './benchmark.js'

const MANY = 1_000_000
const FEW = 1000
const program = new URL('../children/invalidation.js', import.meta.url)

interface Invalidated {
  readonly steps: number
  readonly ns: readonly number[]
}

/** A tag of a million entries must cost what one of a thousand does. */
export const invalidation: Benchmark = async ({ invalidationRounds }) => {
  const { many, few } = (await inChild(program, String(MANY), String(FEW), String(invalidationRounds))) as Record<'many' | 'few', Invalidated>
  const [manyName, fewName] = [MANY, FEW].map((count) => `a tag of ${count.toLocaleString('en-US')}`) as [string, string]
  expect(many.ns.length === invalidationRounds && few.ns.length === invalidationRounds, 'not every round was measured')
  return {
    name: 'invalidation',
    title: 'Invalidating a tag, by the number of entries that have it',
    comparisons: [
      compare(undefined, seriesOf(`work, ${manyName}`, 'steps', [many.steps]), seriesOf(fewName, 'steps', [few.steps]), 1),
      compare(undefined, seriesOf(`time, ${manyName}`, 'ns', many.ns), seriesOf(fewName, 'ns', few.ns)),
    ],
    notes: [
      'Steps are functions, branches and loop bodies entered, in Tiercel and in lru-cache, as V8 counts them for coverage. The times are those of single calls, and information only.',
    ],
  }
}
