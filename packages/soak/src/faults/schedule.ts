import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../random.js'
import type { Fault } from './fault.js'

/** Mostly short, so that there are many; some must last longer than what is served may be old. */
const LEAST_MS = 50
const MOST_MS = 2500
const BETWEEN_MS = [20, 400] as const
/** After so many of them all is left in peace until everybody is well. After the others the next one may come before. */
const LEFT_IN_PEACE = 0.4

/** Which fault, and how often it happened. */
export type FaultCounts = ReadonlyMap<string, number>

/** After some faults others cannot be had: a replica that has not caught up again takes over from nobody. */
async function begun({ name, begin }: Fault, random: Random): Promise<{ name: string; end: Awaited<ReturnType<Fault['begin']>> }> {
  try {
    return { name, end: await begin(random) }
  } catch {
    return { name: `${name}, in vain`, end: undefined }
  }
}

/** One fault after the other, each of them before any comes again, until the time is over. All is well again when it resolves. */
export async function makeTrouble(faults: readonly Fault[], random: Random, endsAt: number, recover: (after: string) => Promise<void>): Promise<FaultCounts> {
  const counts = new Map<string, number>()
  let left: Fault[] = []
  while (performance.now() < endsAt) {
    if (left.length === 0) left = [...faults]
    const [fault] = left.splice(random.below(left.length), 1)
    if (fault === undefined) break
    const { name, end } = await begun(fault, random)
    counts.set(name, (counts.get(name) ?? 0) + 1)
    await pause(LEAST_MS + random.next() ** 2 * (MOST_MS - LEAST_MS))
    await end?.()
    if (performance.now() >= endsAt) break
    if (random.chance(LEFT_IN_PEACE)) await recover(name)
    else await pause(random.between(...BETWEEN_MS))
  }
  return counts
}
