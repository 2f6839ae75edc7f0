import { setImmediate as turnOfLoop } from 'node:timers/promises'

/** Something that is timed: a pass is `operations` operations in a loop of the subject's own, so that V8 compiles the loop for it alone. */
export interface Subject {
  readonly name: string
  readonly operations: number
  /** Before each pass, outside of what is timed. */
  prepare?(): unknown
  pass(): unknown
  /** Throws when what `pass` gave is wrong. It is timed with the pass, so it must cost next to nothing. */
  check?(result: unknown): void
  /** After each pass that was prepared, outside of what is timed. */
  dispose?(): unknown
}

/** How long to measure. */
export interface Plan {
  readonly rounds: number
  /** How long one subject runs in one round, at least one pass. */
  readonly sampleMs: number
  readonly warmUpMs: number
}

/** What was measured of one subject: one figure per round, in the order of rounds. */
export interface Series {
  readonly name: string
  readonly unit: Unit
  readonly samples: readonly number[]
  readonly median: number
}

/** `ns` are of processor time, `wall-ns` of the time of day. */
export type Unit = 'ns' | 'wall-ns' | 'bytes' | 'steps' | 'commands' | 'loads'

/** The same work by two clocks. */
export interface Timed {
  /** What a caller waits, other processes' work included. */
  readonly wall: Series
  /** What this process spends. */
  readonly processor: Series
}

/** Part of the sample's time that a subject runs before it, so that it finds its own data in the processor's caches and not another's. */
const LEAD_IN = 0.25

/**
 * Nanoseconds of processor time per operation of each subject. The rounds are interleaved (A B C, A B C, …), so that a slow moment of the machine falls
 * on all of them. Everybody starts with an empty young generation, so that nobody collects what another left; a sample is long enough for
 * those who make garbage to collect their own. The old generation is left alone: collecting it throws compiled code away.
 */
export async function measure(subjects: readonly Subject[], { rounds, sampleMs, warmUpMs }: Plan): Promise<Series[]> {
  // Twice around: what V8 learns from one subject may make it throw away the code of another.
  for (let turn = 0; turn < 2; turn++) for (const subject of subjects) await sample(subject, warmUpMs / 2)
  const samples = subjects.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) {
      globalThis.gc?.({ type: 'minor' })
      await sample(subject, sampleMs * LEAD_IN)
      samples[i]?.push(await sample(subject, sampleMs))
    }
  }
  return subjects.map(({ name }, i) => seriesOf(name, 'ns', samples[i] ?? []))
}

export function seriesOf(name: string, unit: Unit, samples: readonly number[]): Series {
  return { name, unit, samples, median: quantile(samples, 0.5) }
}

/** Between two samples it takes the share of each. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const place = part * (sorted.length - 1)
  const lower = sorted[Math.floor(place)] ?? Number.NaN
  const upper = sorted[Math.ceil(place)] ?? lower
  return lower + (upper - lower) * (place % 1)
}

async function sample(subject: Subject, ms: number): Promise<number> {
  // Reading memory never gives way to sockets and timers, and a cache with a Redis behind it listens to one.
  await turnOfLoop()
  const began = performance.now()
  const isTimeUp = (): boolean => performance.now() - began >= ms
  let spent = 0
  let operations = 0
  do {
    await subject.prepare?.()
    const before = processorTime()
    do {
      const result = subject.pass()
      subject.check?.(result instanceof Promise ? await result : result)
      operations += subject.operations
    } while (subject.prepare === undefined && !isTimeUp())
    spent += processorTime() - before
    await subject.dispose?.()
  } while (!isTimeUp())
  return (spent * 1000) / operations
}

/** Microseconds. Not the time of day: while others have the processors, that goes on. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
