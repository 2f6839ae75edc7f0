import { UncacheableValueError } from '../errors/index.js'
import type { Entry } from '../memory/index.js'
import type { Policy } from '../options/index.js'
import { fill } from './fill.js'
import { Flight, type Landing } from './flight.js'
import { LoadContext, type Loader } from './load-context.js'
import type { Scope } from './scope.js'

export interface Load {
  readonly scope: Scope
  readonly key: string
  readonly location: string
  readonly policy: Policy
  readonly loader: Loader<unknown>
  /** What is there of the key, though not fresh. */
  readonly previous: Entry | undefined
}

/**
 * Starts the one load of a key. Its fence is open from here until the value is kept: whatever is invalidated in between, also while
 * nobody waits any more, keeps the value out.
 */
export function startLoad(load: Load, background: boolean): Flight {
  const { scope, location, policy } = load
  const { shared } = scope
  const tokens = scope.holdTokens(policy.tags, policy.room)
  const fence = shared.fences.open(location, tokens, shared.changes.now)
  const flight = new Flight(fence, policy.write && policy.memory, background, (self) => run(load, self))
  shared.flights.takeOff(flight)
  return flight
}

async function run(load: Load, flight: Flight): Promise<Landing> {
  const { scope, key, policy, loader, previous } = load
  const { shared, counters } = scope
  const stale = previous?.isUsable(performance.now()) ? { value: previous.value, etag: previous.etag } : undefined
  const ctx = new LoadContext(stale, flight.signal, policy.tags.length + (policy.room === undefined ? 0 : 1))
  const loadedAt = performance.now()
  counters.add('loads')
  counters.add('loadsRunning')
  let tokensTaken = false
  try {
    const result = await loader(ctx)
    const value = ctx.decision.notModified ? stale?.value : result
    const lateIds = lateIdsOf(load, flight, ctx)
    tokensTaken = keep(load, flight, value, ctx, lateIds, loadedAt)
    if (shared.events.load.wanted) {
      const durationMs = performance.now() - loadedAt
      shared.events.emit('load', { namespace: scope.path, key, durationMs, stored: tokensTaken, background: flight.background })
    }
    return { value, lateIds }
  } catch (error) {
    counters.add('loadsFailed')
    postponeNext(load)
    if (!flight.attended) reportFailure(load, flight, error)
    throw error
  } finally {
    counters.add('loadsRunning', -1)
    if (!tokensTaken) shared.tokens.release(flight.fence.tokens)
    shared.fences.close(flight.fence)
    shared.flights.land(flight)
  }
}

/** The tags and rooms that were not known when the fence was opened. */
function lateIdsOf({ scope, previous }: Load, { fence }: Flight, { decision }: LoadContext): string[] {
  if (decision.tags.length === 0 && decision.rooms.length === 0 && !decision.notModified) return []
  const named = scope.labelIds(decision.tags, decision.rooms)
  // A value that is renewed goes on depending on all it depended on.
  const inherited = decision.notModified && previous !== undefined ? previous.tokens.map((token) => token.id) : []
  const early = new Set(fence.tokens.map((token) => token.id))
  return [...new Set([...named, ...inherited])].filter((id) => !early.has(id))
}

/** Keeps what was loaded, unless something forbids it. Returns whether the hold on the fence's tokens has gone over to the entry. */
function keep({ scope, key, location, policy }: Load, flight: Flight, value: unknown, ctx: LoadContext, lateIds: readonly string[], loadedAt: number): boolean {
  const { shared, counters } = scope
  const { decision } = ctx
  const { fence } = flight
  if (!flight.stores || decision.skipped || shared.closed) return false
  const tooLate = (shared.mechanisms.fence && !fence.holds) || (shared.mechanisms.lateFence && lateIds.some((id) => shared.changes.changedSince(id, fence.openedAt)))
  if (tooLate) {
    counters.add('fenced')
    return false
  }
  const ttl = decision.ttl ?? policy.ttl
  if (!isKeepable(value, ttl, policy)) {
    shared.memory.delete(location)
    return false
  }
  const late = shared.tokens.holdAll(lateIds)
  const tokens = late.length === 0 ? fence.tokens : [...fence.tokens, ...late]
  const etag = decision.etag ?? (decision.notModified ? ctx.stale?.etag : undefined)
  try {
    fill(scope, { location, key, value, ttl, etag, loadedAt, tokens }, policy)
    return true
  } catch (error) {
    shared.tokens.release(late)
    shared.memory.delete(location)
    notKept(scope, key, policy, error)
    return false
  }
}

/** What is not keepable takes the place of an older value all the same: that must not come back as grace. */
export function isKeepable(value: unknown, ttl: number, policy: Policy): boolean {
  return value !== undefined && (value !== null || policy.cacheNull) && ttl > 0
}

/** A value that cannot be kept is served all the same. */
export function notKept(scope: Scope, key: string, policy: Policy, error: unknown): void {
  if (error instanceof UncacheableValueError) scope.counters.add('uncacheable')
  report(scope, key, policy, error, 'store')
}

/** Tells of an error that no caller is going to see. */
export function report(scope: Scope, key: string, policy: Policy, error: unknown, during: 'load' | 'store'): void {
  scope.shared.events.emit('error', { namespace: scope.path, key, error, during })
  try {
    policy.onError?.(error, { key })
  } catch (thrown) {
    scope.shared.events.emit('error', { namespace: scope.path, key, error: thrown, during: 'listener' })
  }
}

/** Tells of a failed load once, however many were served something stale in its place. */
export function reportFailure({ scope, key, policy }: Load, flight: Flight, error: unknown): void {
  if (flight.failureReported) return
  flight.failureReported = true
  report(scope, key, policy, error, 'load')
}

/** While grace serves, a source that fails is not asked at every call. */
function postponeNext({ scope, location, policy }: Load): void {
  const now = performance.now()
  const entry = scope.shared.memory.peek(location)
  if (entry?.isUsable(now)) entry.postponeLoads(now + policy.graceRetry)
}
