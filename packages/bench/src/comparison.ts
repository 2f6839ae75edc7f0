import { quantile, type Series, type Timed } from './measure.js'

/** One line of the table: what something of ours costs in terms of a peer. */
export interface Comparison {
  /** The size of the value, where there is one. */
  readonly value: string | undefined
  readonly us: Figure
  readonly peer: Figure
  /** Our median over the peer's: below 1 we are cheaper. */
  readonly ratio: number
  /** The middle half of the ratios of single rounds lies between these. */
  readonly spread: readonly [lower: number, upper: number]
  /** The ratio of processor time, where `ratio` is one of wall time. */
  readonly processorRatio?: number
  /** What the ratio should be at most. */
  readonly target: number | undefined
  readonly reached: boolean | undefined
}

export interface Figure {
  readonly name: string
  readonly median: number
  readonly unit: Series['unit']
}

/** What one benchmark found. */
export interface Result {
  readonly name: string
  readonly title: string
  readonly comparisons: readonly Comparison[]
  /** What was counted rather than timed, and what one should know to read the lines. */
  readonly notes: readonly string[]
}

export function compare(value: string | undefined, us: Series, peer: Series, target?: number): Comparison {
  const ratio = us.median / peer.median
  const ofRounds = us.samples.map((sample, round) => sample / (peer.samples[round] ?? peer.median))
  return {
    value,
    us: figure(us),
    peer: figure(peer),
    ratio,
    spread: [quantile(ofRounds, 0.25), quantile(ofRounds, 0.75)],
    target,
    reached: target === undefined ? undefined : ratio <= target,
  }
}

/** By wall time, with processor time beside it. */
export function compareTimed(value: string | undefined, us: Timed, peer: Timed, target?: number): Comparison {
  return { ...compare(value, us.wall, peer.wall, target), processorRatio: us.processor.median / peer.processor.median }
}

/** The target of being at least `times` as fast. */
export function fasterBy(times: number): number {
  return 1 / times
}

function figure({ name, median: middle, unit }: Series): Figure {
  return { name, median: middle, unit }
}
