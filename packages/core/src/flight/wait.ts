import { LoadTimeoutError } from '../errors/index.js'
import type { Flight, Landing } from './flight.js'

/** The wait ended before the load did, and there is something stale to serve. */
export const SLOW = Symbol('slow')

export interface Patience {
  /** Milliseconds after which to settle for something stale; 0 for never. */
  readonly softMs: number
  /** Milliseconds after which to fail; 0 for never. */
  readonly hardMs: number
  readonly signal: AbortSignal | undefined
}

/** Waits for a load as long as the caller's patience lasts. The load is not ended by that, except by the last one who gives up. */
export async function waitFor(flight: Flight, { softMs, hardMs, signal }: Patience): Promise<Landing | typeof SLOW> {
  flight.join()
  let because: 'landed' | 'out-of-time' | 'gave-up' = 'landed'
  if (softMs === 0 && hardMs === 0 && signal === undefined) {
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
      const ms = softMs > 0 ? softMs : hardMs
      if (ms > 0) {
        timer = setTimeout(() => {
          because = 'out-of-time'
          if (softMs > 0) resolve(SLOW)
          else reject(new LoadTimeoutError(`The load took longer than its hardTimeout of ${hardMs} ms; it goes on in the background`))
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
