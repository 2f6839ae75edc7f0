import type { Flight, Landing } from './flight.js'

/** The wait ended before the load did. */
export const SLOW = Symbol('slow')

export interface Patience {
  /** After so long something stale will do, if there is any then; 0 for never. */
  readonly softMs: number
  /** After so long there is no more waiting; 0 for never. */
  readonly hardMs: number
  readonly signal: AbortSignal | undefined
  canServeStale(): boolean
}

/** Waits for a load as long as the caller's patience lasts. That does not end the load, except when the last one who waits gives up. */
export function waitFor(flight: Flight, patience: Patience): Promise<Landing | typeof SLOW> {
  const { softMs, hardMs, signal } = patience
  flight.join()
  // Who waits for its end has not to leave before.
  return softMs === 0 && hardMs === 0 && signal === undefined ? flight.promise : waitWithin(flight, patience)
}

async function waitWithin(flight: Flight, patience: Patience): Promise<Landing | typeof SLOW> {
  let because: 'landed' | 'out-of-time' | 'gave-up' = 'landed'
  try {
    const end = await firstOf(flight, patience)
    if (end === SLOW) because = 'out-of-time'
    return end
  } catch (error) {
    if (patience.signal?.aborted) because = 'gave-up'
    throw error
  } finally {
    flight.leave(because)
  }
}

function firstOf(flight: Flight, { softMs, hardMs, signal, canServeStale }: Patience): Promise<Landing | typeof SLOW> {
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
      if (canServeStale()) outOfTime()
      else if (hardMs > 0) after(hardMs - softMs, outOfTime)
    }
    flight.promise.then(
      (landing) => end(() => resolve(landing)),
      (error: unknown) => end(() => reject(error)),
    )
    if (softMs > 0) after(softMs, soft)
    else if (hardMs > 0) after(hardMs, outOfTime)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
