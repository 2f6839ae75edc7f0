import { setTimeout as pause } from 'node:timers/promises'

const LONGEST_WAIT_MS = 10_000

/** Whether it came about, in time. */
export async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const until = performance.now() + LONGEST_WAIT_MS; performance.now() < until; await pause(5)) if (await isSo()) return true
  return false
}
