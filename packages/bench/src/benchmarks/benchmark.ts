import type { Result } from '../comparison.js'
import type { Effort } from '../effort.js'

/** @throws Misbehaviour when it does not do what it is to measure. */
export type Benchmark = (effort: Effort) => Promise<Result>
