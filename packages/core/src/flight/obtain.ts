import type { Landing } from './flight.js'
import { copyOf } from './copy.js'
import { reportFailure, startLoad, type Load } from './load.js'
import { SLOW, waitFor } from './wait.js'

/**
 * A value that was not found fresh: from the load under way, from one started here, or, while that fails or is slow, what is left of the
 * previous value.
 */
export async function obtain(load: Load): Promise<unknown> {
  const { scope, key, location, policy, previous } = load
  const { changes, flights, mechanisms, settings } = scope.shared
  const served = (value: unknown) => (settings.clone ? copyOf(value) : value)
  const canServeStale = () => previous !== undefined && previous.servesWithin(policy.grace, performance.now())
  const serveStale = (reason: 'load-failed' | 'load-slow' | 'load-postponed') => {
    scope.counters.add('stale')
    scope.shared.events.emit('stale', { namespace: scope.path, key, reason })
    return served(previous?.value)
  }

  policy.signal?.throwIfAborted()
  if (canServeStale() && previous?.loadsPostponed(performance.now())) return serveStale('load-postponed')

  for (let isRetry = false; ; isRetry = true) {
    const joinedAt = changes.now
    const joined = flights.joinable(location, policy.write && policy.memory)
    const joins = policy.read && joined !== undefined && (!isRetry || joined.fence.openedAt === joinedAt)
    if (joins) scope.counters.add('coalesced')
    const flight = joins ? joined : startLoad(load, false)
    const softMs = canServeStale() ? policy.softTimeout : 0
    let landing: Landing | typeof SLOW
    try {
      landing = await waitFor(flight, { softMs, hardMs: policy.hardTimeout, signal: policy.signal })
      if (landing === SLOW) {
        if (canServeStale()) return serveStale('load-slow')
        // Invalidated while we waited: now there is only the load to wait for.
        landing = await waitFor(flight, { softMs: 0, hardMs: policy.hardTimeout === 0 ? 0 : policy.hardTimeout - softMs, signal: policy.signal })
      }
    } catch (error) {
      if (policy.signal?.aborted || !canServeStale()) throw error
      reportFailure(load, flight, error)
      return serveStale('load-failed')
    }
    if (landing === SLOW) continue
    // A tag that only the loader named may have been invalidated after the load began and before we joined it: to us, its value is too old.
    const tooOld = mechanisms.lateDetach && joinedAt > flight.fence.openedAt && landing.lateIds.some((id) => changes.changedSince(id, flight.fence.openedAt))
    if (!tooOld) return served(landing.value)
  }
}

/** Renews a value that is still fresh, for the sake of later calls. */
export function renewInBackground(load: Load): void {
  const { scope, location, previous } = load
  if (previous?.loadsPostponed(performance.now()) || scope.shared.flights.joinable(location, true) !== undefined) return
  startLoad(load, true)
}
