import { ClosedError, LoadTimeoutError } from '../errors/index.js'
import type { Entry } from '../memory/index.js'
import type { Flight, Landing } from './flight.js'
import { copyIfPossible } from './copy.js'
import { readsPastMemory, reportFailure, startLoad, storesAnywhere, type Load } from './load.js'
import type { Scope } from './scope.js'
import { SLOW, waitFor } from './wait.js'
import { waitWatched } from './watched.js'

/** One call, and what it is served. */
class Call {
  flight: Flight | undefined
  #isCounted = false

  constructor(readonly load: Load) {}

  served(value: unknown): unknown {
    return this.load.scope.shared.settings.clone ? copyIfPossible(value) : value
  }

  /** What memory had, or what the load found in Redis. */
  get previous(): Entry | undefined {
    return this.flight?.previous ?? this.load.previous
  }

  canServeStale(): boolean {
    const { scope, policy } = this.load
    const { previous } = this
    return previous !== undefined && scope.shared.mayServeStale(previous, policy.grace, performance.now())
  }

  serveStale(reason: 'load-failed' | 'load-slow' | 'load-postponed'): unknown {
    const { scope, key } = this.load
    this.countMiss()
    scope.counters.add('stale')
    scope.shared.events.emit('stale', { namespace: scope.path, key, reason })
    return this.served(this.previous?.value)
  }

  countMiss(): void {
    if (this.#isCounted) return
    this.#isCounted = true
    const { scope, key } = this.load
    scope.counters.add('misses')
    if (scope.shared.events.miss.wanted) scope.shared.events.emit('miss', { namespace: scope.path, key })
  }
}

/**
 * A value that memory does not have fresh: from the load under way, from one started here, or, while that fails or is slow, what is left of the previous value.
 */
export async function obtain(load: Load): Promise<unknown> {
  const { scope, key, location, policy } = load
  const { changes, flights, mechanisms, memory, remote } = scope.shared
  const call = new Call(load)
  if (remote === undefined || !policy.redis) call.countMiss()
  if (call.canServeStale() && call.previous?.loadsPostponed(performance.now())) {
    load.gathering?.needsNoLoad()
    return call.serveStale('load-postponed')
  }

  const began = policy.softTimeout > 0 || policy.hardTimeout > 0 ? performance.now() : 0
  const reachable = policy.redis ? remote?.reachable() : undefined
  if (reachable instanceof Promise) await reachable
  for (let isRetry = false; ; isRetry = true) {
    if (isRetry && scope.shared.closed) throw new ClosedError('The cache was closed while the value was loaded')
    const joinedAt = changes.now
    const mustStore = storesAnywhere(scope, policy)
    const joined = readsPastMemory(load) ? flights.beginning(location, mustStore) : flights.joinable(location, mustStore)
    const joins = policy.read && joined !== undefined && (!isRetry || joined.fence.openedAt === joinedAt)
    if (joins) {
      scope.counters.add('coalesced')
      load.gathering?.needsNoLoad()
    }
    const flight: Flight = joins ? joined : startLoad(load, false, () => call.countMiss())
    call.flight = flight
    let landing: Landing | typeof SLOW
    try {
      // One budget for all of a call's waiting.
      const waitedMs = isRetry ? performance.now() - began : 0
      landing = await (joins ? waitWatched(load, flight, call, waitedMs) : waitFor(flight, policy, call, waitedMs))
    } catch (error) {
      call.countMiss()
      if (policy.signal?.aborted) throw error
      // Somebody may have set the key meanwhile.
      const newer = policy.read && policy.memory ? memory.get(location) : undefined
      if (newer !== undefined && scope.shared.mayServe(newer, performance.now())) {
        reportFailure(load, flight, error)
        return call.served(newer.value)
      }
      if (!call.canServeStale()) throw error
      reportFailure(load, flight, error)
      return call.serveStale('load-failed')
    }
    if (landing === SLOW) {
      if (call.canServeStale()) return call.serveStale('load-slow')
      call.countMiss()
      throw new LoadTimeoutError(`The load took longer than its hardTimeout of ${policy.hardTimeout} ms; it goes on in the background`)
    }
    // A tag that only the loader named may have been invalidated after the load began and before we joined it: to us, its value is too old.
    const { openedAt } = flight.fence
    const tooOld = mechanisms.lateDetach && joinedAt > openedAt && landing.lateIds.some((id) => changes.changedSince(id, openedAt))
    if (tooOld) continue
    if (landing.isFromRedis) {
      countRedisHit(scope, key)
      const entry = policy.read && policy.refresh > 0 ? memory.peek(location) : undefined
      if (entry !== undefined) renewIfDue({ ...load, previous: entry }, entry, performance.now())
    } else call.countMiss()
    return call.served(landing.value)
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
