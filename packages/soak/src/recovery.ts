import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from './workers.js'

const PATIENCE_MS = 20_000
/** Of a cluster, until its nodes agree. */
const FORMING_MS = 20_000
const LOOK_MS = 25
/** A process that has not noticed yet that it was cut off takes itself for well. Who stays well for so long has noticed nothing because there is nothing. */
const STEADY_MS = 500

/** How long it took until all processes were well again, counted from when Redis was back. */
export interface Recovery {
  readonly after: string
  /** `undefined` when they were not in time. */
  readonly ms: number | undefined
}

/**
 * Waits until all processes are well, and stay so for a while.
 *
 * @param isBack Whether there is something to come back to: the nodes of a cluster have to agree first, which takes them a time of their own.
 */
export async function recoveryOf(workers: readonly Worker[], after: string, isBack: () => Promise<boolean>): Promise<Recovery> {
  const formedBy = performance.now() + FORMING_MS
  while (performance.now() < formedBy && !(await isBack())) await pause(LOOK_MS)
  const began = performance.now()
  let wellSince = began
  while (wellSince - began < PATIENCE_MS) {
    const answers = await Promise.all(workers.map((worker) => worker.order('hasRecovered')))
    const now = performance.now()
    if (!answers.every(({ is }) => is === true)) wellSince = now
    else if (now - wellSince >= STEADY_MS) return { after, ms: wellSince - began }
    await pause(LOOK_MS)
  }
  return { after, ms: undefined }
}
