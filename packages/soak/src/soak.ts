import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { createConsistencyChecker, startRedis, type ConsistencyReport } from '@tiercel/core/testing'
import { makeTrouble, type FaultCounts } from './faults/schedule.js'
import { Random } from './random.js'
import { recoveryOf, type Recovery } from './recovery.js'
import { PROCESSES } from './rows.js'
import { stages, type StageName } from './stages.js'
import { BOUND_MS } from './subjects/subject.js'
import type { SubjectName } from './subjects/index.js'
import type { Figures } from './tally.js'
import { Worker } from './workers.js'

export interface Wanted {
  readonly subject: SubjectName
  readonly stage: StageName
  readonly seconds: number
  readonly seed: number
  readonly hasFaults: boolean
  readonly callers: number
  readonly without: readonly string[]
}

export interface Outcome {
  readonly wanted: Wanted
  readonly report: ConsistencyReport
  readonly figures: readonly Figures[]
  readonly crashes: readonly string[]
  /** Calls that never ended. */
  readonly pending: number
  readonly faults: FaultCounts
  /** After some of the faults, and after the last one. */
  readonly recoveries: readonly Recovery[]
  /** What a timer of 10 ms took in this process, of a hundred all but one: how busy the machine was. */
  readonly timerMs: number
}

/** Lets four processes use one cache, makes everything fail meanwhile, and has judged what they saw. */
export async function soak(wanted: Wanted): Promise<Outcome> {
  const { subject, stage: stageName, seconds, seed, hasFaults, callers, without } = wanted
  const checker = createConsistencyChecker({ bound: BOUND_MS })
  const crashes: string[] = []
  const timers = monitorEventLoopDelay({ resolution: 10 })
  const handlers = { onBatch: checker.add.bind(checker), onCrash: (why: string) => void crashes.push(why) }
  const [stage, database] = await Promise.all([stages[stageName](), startRedis()])
  const workers = Array.from({ length: PROCESSES }, (_, index) => new Worker(subject, { kind: stage.kind, urls: stage.urlsOf(index), index, callers, without }, seed, database.url, handlers))
  try {
    await each(workers, (worker) => worker.ready())
    timers.enable()
    await each(workers, (worker) => worker.order('begin'))
    const endsAt = performance.now() + seconds * 1000
    const recoveries: Recovery[] = []
    const recover = async (after: string) => void recoveries.push(await recoveryOf(workers, after, () => stage.isBack()))
    const faults = hasFaults ? await makeTrouble(stage.faults(workers), new Random(seed), endsAt, recover) : new Map<string, number>()
    await pause(Math.max(0, endsAt - performance.now()))
    await recover('all of it')
    timers.disable()
    const stops = await each(workers, (worker) => worker.order('stop'))
    const pending = stops.reduce((sum, stop) => sum + (stop.pending ?? 0), 0)
    // What the last calls could not tell Redis, on a machine too slow for them, is told by then; and what was changed last has had its time, too.
    await recover('the last call')
    await pause(2 * BOUND_MS)
    await each(workers, (worker) => worker.order('rest'))
    const ends = await each(workers, (worker) => worker.order('end'))
    return { wanted, report: checker.report(), figures: ends.flatMap(({ figures }) => figures ?? []), crashes, pending, faults, recoveries, timerMs: timers.percentile(99) / 1e6 }
  } finally {
    await Promise.all([...workers, database, stage].map((part) => part.stop()))
  }
}

function each<T>(workers: readonly Worker[], work: (worker: Worker) => Promise<T>): Promise<T[]> {
  return Promise.all(workers.map(work))
}
