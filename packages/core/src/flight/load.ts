import { survey } from '../codec/index.js'
import { InvalidTagError, UncacheableValueError } from '../errors/index.js'
import type { Entry } from '../memory/index.js'
import { checkTagCount, type Policy } from '../options/index.js'
import type { Lease, Storable } from '../redis/index.js'
import type { Claim, RightToStore } from './claim.js'
import { copyOf } from './copy.js'
import { fill, jittered } from './fill.js'
import { Flight, type Landing } from './flight.js'
import { LoadContext, type Loader } from './load-context.js'
import type { Scope } from './scope.js'
import type { Shared } from './shared.js'
import { claimWatched, commitWatched, loadWatched } from './watched.js'

/** Told by the loads of a batch what became of each of its keys, so that those that are left are loaded together. */
export interface Gathering {
  /** The key was found, or another call is loading it. */
  needsNoLoad(): void
  /** Another process is loading the key. */
  waits(): void
}

export interface Load {
  readonly scope: Scope
  readonly key: string
  readonly location: string
  readonly policy: Policy
  readonly loader: Loader<unknown>
  /** What is there of the key, though not fresh. */
  readonly previous: Entry | undefined
  readonly gathering: Gathering | undefined
}

/**
 * Starts the one load of a key. Its fence is open from here until the value is kept: whatever is invalidated in between, also while
 * nobody waits any more, keeps the value out.
 */
export function startLoad(load: Load, background: boolean, onMiss?: () => void): Flight {
  const { scope, location, policy } = load
  const { shared } = scope
  const tokens = scope.holdTokens(policy.tags, policy.room)
  const fence = shared.fences.open(location, tokens, shared.changes.now)
  const flight = new Flight(fence, storesAnywhere(scope, policy), background, onMiss, (ended) => giveBack(shared, ended))
  shared.flights.takeOff(flight, readsPastMemory(load))
  flight.start(claimWatched(load, flight, (claimed) => land(load, flight, claimed)))
  return flight
}

/** Whether memory is left out, to see what Redis has by now. */
export function readsPastMemory({ scope: { shared }, policy }: Load): boolean {
  return shared.remote !== undefined && policy.redis && policy.read && !policy.memory
}

function giveBack({ fences, flights, remote, tokens }: Shared, flight: Flight): void {
  const { fence, lease, tokensTaken } = flight
  // Unless it was used up by a commit: others need not wait for its end.
  if (lease !== undefined) remote?.release(lease, flight.keepsNothing ? 'keeping-nothing' : undefined)
  if (!tokensTaken) tokens.release(fence.tokens)
  fences.close(fence)
  flights.land(flight)
}

/** Whether a call with this policy keeps what it loads. */
export function storesAnywhere({ shared: { remote } }: Scope, { write, memory, redis }: Policy): boolean {
  return write && (memory || (redis && remote !== undefined))
}

function land(load: Load, flight: Flight, claimed: Claim): Landing | Promise<Landing> {
  if ('right' in claimed) return loadAndLand(load, flight, claimed.right)
  end(load, flight)
  return claimed.landing
}

async function loadAndLand(load: Load, flight: Flight, right: RightToStore): Promise<Landing> {
  try {
    // Nobody is there any more who would want it.
    if (flight.isGivenUp) throw flight.signal().reason
    // A renewal that another process makes already. Who needs it sooner than that has joined, and waits.
    if (flight.background && right === 'nothing' && !flight.attended) throw new DOMException('Another process renews the value', 'AbortError')
    flight.onMiss?.()
    return await loadAndKeep(load, flight, right)
  } finally {
    end(load, flight)
  }
}

function end(load: Load, flight: Flight): void {
  flight.end()
  // However it ended: what a batch does not hear of, it waits for, and with it all of its other keys.
  load.gathering?.needsNoLoad()
}

async function loadAndKeep(load: Load, flight: Flight, right: RightToStore): Promise<Landing> {
  const { scope, key, policy } = load
  const { shared, counters } = scope
  const previous = flight.previous ?? load.previous
  const stale = previous?.isUsable(performance.now()) ? { value: shared.settings.clone ? copyOf(previous.value) : previous.value, etag: previous.etag } : undefined
  const ctx = new LoadContext(stale, () => flight.signal(), policy.tags.length + (policy.room === undefined ? 0 : 1))
  const loadedAt = performance.now()
  counters.add('loads')
  counters.add('loadsRunning')
  const letGo = typeof right === 'object' ? shared.remote?.keepAlive(right) : undefined
  try {
    const result = await loadWatched(load, flight, ctx)
    const value = ctx.decision.notModified ? stale?.value : result
    const lateIds = lateIdsOf(load, flight, ctx)
    await keep(load, flight, right, value, ctx, lateIds, loadedAt)
    if (shared.events.load.wanted) {
      const durationMs = performance.now() - loadedAt
      shared.events.emit('load', { namespace: scope.path, key, durationMs, stored: flight.isStored, background: flight.background })
    }
    return { value, lateIds }
  } catch (error) {
    if (!flight.isGivenUp) {
      counters.add('loadsFailed')
      if (flight.fence.holds) postponeNext(load)
      if (!flight.attended) reportFailure(load, flight, error)
    }
    throw error
  } finally {
    letGo?.()
    counters.add('loadsRunning', -1)
  }
}

/** The tags and rooms that were not known when the fence was opened. */
function lateIdsOf(load: Load, flight: Flight, { decision }: LoadContext): string[] {
  const { scope } = load
  const previous = flight.previous ?? load.previous
  if (decision.tags.length === 0 && decision.rooms.length === 0 && !decision.notModified) return []
  const named = scope.labelIds(decision.tags, decision.rooms)
  // A value that is renewed goes on depending on all it depended on.
  const inherited = decision.notModified && previous !== undefined ? previous.tokens.map((token) => token.id) : []
  const early = new Set(flight.fence.tokens.map((token) => token.id))
  return [...new Set([...named, ...inherited])].filter((id) => !early.has(id))
}

/** Keeps what was loaded, unless something forbids it. */
async function keep(load: Load, flight: Flight, right: RightToStore, value: unknown, ctx: LoadContext, lateIds: readonly string[], loadedAt: number): Promise<void> {
  const { scope, key, location, policy } = load
  const { shared, counters } = scope
  const { decision } = ctx
  const { fence } = flight
  flight.keepsNothing = decision.skipped
  if (!flight.stores || right === 'nothing' || decision.skipped || shared.closed) return
  const isTooLate = () =>
    (shared.mechanisms.fence && !fence.holds) || (shared.mechanisms.lateFence && lateIds.some((id) => shared.changes.changedSince(id, fence.openedAt)))
  if (isTooLate()) {
    counters.add('fenced')
    return
  }
  const ttl = decision.ttl ?? policy.ttl
  const grace = decision.grace ?? policy.grace
  if (!isKeepable(value, ttl + (decision.grace ?? 0), policy)) {
    await dropOlder(load, flight)
    return
  }
  const etag = decision.etag ?? (decision.notModified ? ctx.stale?.etag : undefined)
  const late = shared.tokens.holdAll(lateIds)
  try {
    // Those of the previous value come on top when it is renewed.
    checkTagCount(fence.tokens.length - scope.levels.length + lateIds.length)
    const { bytes, form } = survey(value, shared.valueLimits)
    const freshMs = jittered(policy, ttl)
    const storable = { value, form, ttl, freshMs, grace, etag }
    const mayFill = typeof right === 'string' || (await commitWatched(load, () => commit(load, flight, right, storable, lateIds, isTooLate)))
    if (!mayFill || !policy.memory) return
    if (isTooLate() || shared.closed) {
      counters.add('fenced')
      return
    }
    const tokens = late.length === 0 ? fence.tokens : [...fence.tokens, ...late]
    fill(scope, { location, key, value, bytes, ttl, freshMs, grace, etag, loadedAt, tokens })
    flight.tokensTaken = true
    flight.isStored = true
  } catch (error) {
    if (!(error instanceof UncacheableValueError || error instanceof InvalidTagError)) throw error
    notKept(scope, key, policy, error)
    await dropOlder(load, flight)
  } finally {
    if (!flight.tokensTaken) shared.tokens.release(late)
  }
}

/** Stores in Redis under the lease. Resolves to whether memory may have the value too: not when somebody took the lease away. */
async function commit({ scope }: Load, flight: Flight, lease: Lease, storable: Storable, lateIds: readonly string[], isTooLate: () => boolean): Promise<boolean> {
  const { remote } = scope.shared
  if (remote === undefined) return true
  // What the way to the lease has left of the call's time.
  const budget = flight.budget ?? remote.budget()
  try {
    let { tokens } = lease
    if (lateIds.length > 0) {
      const late = await remote.lateTokens(lateIds, budget)
      // Everything said while we loaded has been heard by now, or we cannot know.
      if (late === undefined || isTooLate()) {
        scope.counters.add('fenced')
        return false
      }
      tokens = new Map([...tokens, ...late])
    }
    const bytes = await remote.entries.encode({ ...lease, tokens }, storable)
    const isStored = await remote.commit(lease, bytes, storable.freshMs + storable.grace, budget)
    flight.lease = undefined
    flight.isStored = isStored
    if (!isStored) scope.counters.add('droppedCommits')
    remote.succeeded()
    return isStored
  } catch (error) {
    if (error instanceof UncacheableValueError) throw error
    remote.failed(error)
    // As in an outage: this process may keep what it loaded itself.
    return true
  }
}

/** The new value is not one to keep, and the older one must not come back as grace. */
async function dropOlder({ scope, key, location }: Load, flight: Flight): Promise<void> {
  const { memory, remote } = scope.shared
  flight.keepsNothing = true
  memory.delete(location)
  if (flight.isInRedis) await remote?.invalidate({ mode: 'invalidate', path: scope.path, keys: [key], labels: [], pattern: undefined })
}

/** What is not keepable takes the place of an older value all the same: that must not come back as grace. */
export function isKeepable(value: unknown, usableMs: number, policy: Policy): boolean {
  return value !== undefined && (value !== null || policy.cacheNull) && usableMs > 0
}

/** A value that cannot be kept is served all the same. */
export function notKept(scope: Scope, key: string, policy: Policy, error: unknown): void {
  if (error instanceof UncacheableValueError) scope.counters.add('uncacheable')
  report(scope, key, policy, error, 'store')
}

/** Tells of an error that no caller is going to see. */
export function report(scope: Scope, key: string, policy: Policy, error: unknown, during: 'load' | 'store'): void {
  scope.shared.events.emit('error', { namespace: scope.path, key, error, during })
  const failed = (thrown: unknown) => scope.shared.events.emit('error', { namespace: scope.path, key, error: thrown, during: 'listener' })
  try {
    const result: unknown = policy.onError?.(error, { key })
    if (result instanceof Promise) result.catch(failed)
  } catch (thrown) {
    failed(thrown)
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
