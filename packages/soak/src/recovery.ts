import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from './workers.js'

const PATIENCE_MS = 60_000
/** Of a cluster, until its nodes agree. */
const FORMING_MS = 60_000
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
 * Waits until each of the processes has come back by itself, or has not been away. What happens to one that was back already is a matter of its own: a machine that
 * is too slow for what they ask of it.
 *
 * @param isBack Whether there is something to come back to: the nodes of a cluster have to agree first, which takes them a time of their own.
 */
export async function recoveryOf(workers: readonly Worker[], after: string, isBack: () => Promise<boolean>): Promise<Recovery> {
  const formedBy = performance.now() + FORMING_MS
  while (performance.now() < formedBy && !(await isBack())) await pause(LOOK_MS)
  const times = await Promise.all(workers.map((worker) => recoveryOfOne(worker)))
  return { after, ms: times.includes(undefined) ? undefined : Math.max(...times.map((ms) => ms ?? 0)) }
}

async function recoveryOfOne(worker: Worker): Promise<number | undefined> {
  const began = performance.now()
  let wasAway = false
  for (let ms = 0; ms < PATIENCE_MS; ms = performance.now() - began) {
    const { is } = await worker.order('hasRecovered')
    if (is !== true) wasAway = true
    else if (wasAway) return performance.now() - began
    else if (ms >= STEADY_MS) return 0
    await pause(LOOK_MS)
  }
  return undefined
}
