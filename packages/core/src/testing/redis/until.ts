import { TestServerError } from '../../errors/index.js'
import { monotonicMs, realPause } from '../real-time.js'

const LOOK_MS = 10

/** Thrown where looking on would not help. */
export class GivenUp extends Error {}

/** Looks until it is so. What fails counts as not yet so, and is told when time is over. */
export async function until(what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const due = monotonicMs() + timeoutMs
  let why = ''
  for (;;) {
    try {
      if (await isSo()) return
    } catch (error) {
      if (error instanceof GivenUp) throw new TestServerError(error.message)
      why = `: ${(error as Error).message}`
    }
    if (monotonicMs() > due) throw new TestServerError(`${what} after ${timeoutMs / 1000} s${why}`)
    await realPause(LOOK_MS)
  }
}
