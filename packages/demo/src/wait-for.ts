import { setTimeout as pause } from 'node:timers/promises'

/** For all waits. Shorter for those who know that they wait in vain. */
export const patience = { ms: 60_000 }

/** Whether it came about, in time. */
export async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const until = performance.now() + patience.ms; performance.now() < until; await pause(5)) if (await isSo()) return true
  return false
}
