import type { Flight, Landing } from './flight.js'

/** The wait ended before the load did. */
export const SLOW = Symbol('slow')

/** How long a caller waits. */
export interface Patience {
  /** After so long something stale will do, if there is any then; 0 for never. */
  readonly softTimeout: number
  /** After so long there is no more waiting; 0 for never. */
  readonly hardTimeout: number
  readonly signal: AbortSignal | undefined
}

export interface Waiter {
  canServeStale(): boolean
}

/**
 * Waits for a load as long as the caller's patience lasts. That does not end the load, except when the last one who waits gives up.
 *
 * @param waitedMs What was used up of the patience before.
 */
export function waitFor(flight: Flight, patience: Patience, waiter: Waiter, waitedMs: number): Promise<Landing | typeof SLOW> {
  const { softTimeout, hardTimeout, signal } = patience
  flight.join()
  // Who waits for its end has not to leave before.
  if (softTimeout === 0 && hardTimeout === 0 && signal === undefined) return flight.promise
  return waitWithin(flight, { softTimeout: left(softTimeout, waitedMs), hardTimeout: left(hardTimeout, waitedMs), signal }, waiter)
}

/** 0 is for ever. */
function left(ms: number, waitedMs: number): number {
  return ms === 0 ? 0 : Math.max(1, Math.ceil(ms - waitedMs))
}

async function waitWithin(flight: Flight, patience: Patience, waiter: Waiter): Promise<Landing | typeof SLOW> {
  let because: 'landed' | 'out-of-time' | 'gave-up' = 'landed'
  try {
    const end = await firstOf(flight, patience, waiter)
    if (end === SLOW) because = 'out-of-time'
    return end
  } catch (error) {
    if (patience.signal?.aborted) because = 'gave-up'
    throw error
  } finally {
    flight.leave(because)
  }
}

function firstOf(flight: Flight, { softTimeout, hardTimeout, signal }: Patience, waiter: Waiter): Promise<Landing | typeof SLOW> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const after = (ms: number, action: () => void) => {
      timer = setTimeout(action, ms)
      timer.unref()
    }
    const onAbort = () => end(() => reject(signal?.reason))
    const end = (settle: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const outOfTime = () => end(() => resolve(SLOW))
    // Whether there is something stale to serve may turn out only while we wait.
    const soft = () => {
      if (waiter.canServeStale()) outOfTime()
      else if (hardTimeout > 0) after(hardTimeout - softTimeout, outOfTime)
    }
    flight.promise.then(
      (landing) => end(() => resolve(landing)),
      (error: unknown) => end(() => reject(error)),
    )
    if (softTimeout > 0) after(softTimeout, soft)
    else if (hardTimeout > 0) after(hardTimeout, outOfTime)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
