import type { Flight, Landing } from './flight.js'

/** The wait ended before the load did. */
export const SLOW = Symbol('slow')

/**
 * Waits for a load, for `ms` milliseconds (0: as long as it takes) or until the signal. That does not end the load, except when the last one who waits gives up.
 */
export async function waitFor(flight: Flight, ms: number, signal: AbortSignal | undefined): Promise<Landing | typeof SLOW> {
  flight.join()
  let because: 'landed' | 'out-of-time' | 'gave-up' = 'landed'
  if (ms === 0 && signal === undefined) {
    try {
      return await flight.promise
    } finally {
      flight.leave(because)
    }
  }
  let timer: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  try {
    return await new Promise((resolve, reject) => {
      flight.promise.then(resolve, reject)
      if (ms > 0) {
        timer = setTimeout(() => {
          because = 'out-of-time'
          resolve(SLOW)
        }, ms)
        timer.unref()
      }
      if (signal !== undefined) {
        onAbort = () => {
          because = 'gave-up'
          reject(signal.reason)
        }
        if (signal.aborted) onAbort()
        else signal.addEventListener('abort', onAbort, { once: true })
      }
    })
  } finally {
    clearTimeout(timer)
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    flight.leave(because)
  }
}
