import { ClosedError, LoadTimeoutError } from '../errors/index.js'
import type { Entry } from '../memory/index.js'
import type { Flight, Landing } from './flight.js'
import { copyIfPossible } from './copy.js'
import { reportFailure, startLoad, storesAnywhere, type Load } from './load.js'
import type { Scope } from './scope.js'
import { SLOW, waitFor } from './wait.js'

/**
 * A value that memory does not have fresh: from the load under way, from one started here, or, while that fails or is slow, what is left of the previous value.
 */
export async function obtain(load: Load): Promise<unknown> {
  const { scope, key, location, policy } = load
  const { changes, events, flights, mechanisms, memory, remote, settings } = scope.shared
  let flight: Flight | undefined
  const served = (value: unknown) => (settings.clone ? copyIfPossible(value) : value)
  // What memory had, or what the load found in Redis.
  const previous = () => flight?.previous ?? load.previous
  const canServeStale = () => {
    const entry = previous()
    return entry !== undefined && scope.shared.mayServeStale(entry, policy.grace, performance.now())
  }
  const serveStale = (reason: 'load-failed' | 'load-slow' | 'load-postponed') => {
    countMiss()
    scope.counters.add('stale')
    events.emit('stale', { namespace: scope.path, key, reason })
    return served(previous()?.value)
  }
  let isCounted = false
  const countMiss = () => {
    if (isCounted) return
    isCounted = true
    scope.counters.add('misses')
    if (events.miss.wanted) events.emit('miss', { namespace: scope.path, key })
  }

  if (remote === undefined || !policy.redis) countMiss()
  if (canServeStale() && previous()?.loadsPostponed(performance.now())) {
    load.gathering?.needsNoLoad()
    return serveStale('load-postponed')
  }

  const began = performance.now()
  const reachable = policy.redis ? remote?.reachable() : undefined
  if (reachable instanceof Promise) await reachable
  for (let isRetry = false; ; isRetry = true) {
    if (isRetry && scope.shared.closed) throw new ClosedError('The cache was closed while the value was loaded')
    const joinedAt = changes.now
    const joined = flights.joinable(location, storesAnywhere(scope, policy))
    const joins = policy.read && joined !== undefined && (!isRetry || joined.fence.openedAt === joinedAt)
    if (joins) {
      scope.counters.add('coalesced')
      load.gathering?.needsNoLoad()
    }
    const current: Flight = joins ? joined : startLoad({ ...load, onMiss: countMiss }, false)
    flight = current
    let landing: Landing | typeof SLOW
    try {
      // One budget for all of a call's waiting.
      const waited = isRetry ? performance.now() - began : 0
      const left = (ms: number) => (ms === 0 ? 0 : Math.max(1, Math.ceil(ms - waited)))
      landing = await waitFor(current, { softMs: left(policy.softTimeout), hardMs: left(policy.hardTimeout), signal: policy.signal, canServeStale })
    } catch (error) {
      countMiss()
      if (policy.signal?.aborted) throw error
      // Somebody may have set the key meanwhile.
      const newer = policy.read && policy.memory ? memory.get(location) : undefined
      if (newer !== undefined && scope.shared.mayServe(newer, performance.now())) {
        reportFailure(load, current, error)
        return served(newer.value)
      }
      if (!canServeStale()) throw error
      reportFailure(load, current, error)
      return serveStale('load-failed')
    }
    if (landing === SLOW) {
      if (canServeStale()) return serveStale('load-slow')
      countMiss()
      throw new LoadTimeoutError(`The load took longer than its hardTimeout of ${policy.hardTimeout} ms; it goes on in the background`)
    }
    // A tag that only the loader named may have been invalidated after the load began and before we joined it: to us, its value is too old.
    const { openedAt } = current.fence
    const tooOld = mechanisms.lateDetach && joinedAt > openedAt && landing.lateIds.some((id) => changes.changedSince(id, openedAt))
    if (tooOld) continue
    if (landing.isFromRedis) {
      countRedisHit(scope, key)
      const entry = policy.read ? memory.peek(location) : undefined
      if (entry !== undefined && policy.refresh > 0) renewIfDue({ ...load, previous: entry }, entry, performance.now())
    } else countMiss()
    return served(landing.value)
  }
}

/** A value that was found in Redis. */
export function countRedisHit({ counters, path, shared: { events } }: Scope, key: string): void {
  counters.add('redisHits')
  if (events.hit.wanted) events.emit('hit', { namespace: path, key, tier: 'redis' })
}

/** Renews a value that is still fresh but will not be for long, for the sake of later calls. */
export function renewIfDue(load: Load, entry: Entry, now: number): void {
  const { scope, location, policy } = load
  const isDue = policy.refresh > 0 && storesAnywhere(scope, policy) && now >= entry.staleAt - (1 - policy.refresh) * entry.ttl
  if (!isDue || entry.loadsPostponed(now) || scope.shared.flights.joinable(location, true) !== undefined) load.gathering?.needsNoLoad()
  else startLoad(load, true)
}
