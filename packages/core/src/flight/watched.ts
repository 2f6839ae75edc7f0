// What takes time, as those see it who watch it: see observe/operations.ts. Each of these does the same as what it stands for when nobody watches. A batch is one
// operation and not one for each of its keys.
import type { Policy } from '../options/index.js'
import type { Adopted } from './adopt.js'
import type { Batch, BatchLoader } from './batch.js'
import { claim, type Claim } from './claim.js'
import { look } from './find.js'
import type { Flight, Landing } from './flight.js'
import type { Load } from './load.js'
import type { LoadContext } from './load-context.js'
import type { Scope } from './scope.js'
import { SLOW, waitFor, type Waiter } from './wait.js'

/** A call of the loader. */
export function loadWatched({ scope, key, loader, gathering }: Load, flight: Flight, ctx: LoadContext): unknown {
  const { operations } = scope.shared.events
  if (!operations.wanted || gathering !== undefined) return loader(ctx)
  return operations.run({ name: 'load', namespace: scope.path, key, subject: flight, facts: { keys: 1, background: flight.background } }, () => loader(ctx))
}

/** A call of the loader of a batch. */
export function watchLoader<T>(scope: Scope, loadMany: BatchLoader<T>): BatchLoader<T> {
  const { operations } = scope.shared.events
  if (!operations.wanted) return loadMany
  return (missing, ctx) => operations.run({ name: 'load', namespace: scope.path, facts: { keys: missing.length } }, () => loadMany(missing, ctx))
}

/** Looking in Redis, and asking for the right to load what is not there. */
export function claimWatched<T>(load: Load, flight: Flight, use: (claimed: Claim) => T | Promise<T>): Promise<T> {
  const { scope, key, policy, gathering } = load
  if (gathering !== undefined || !isWatched(scope, policy)) return claim(load, flight, use)
  const operation = { name: 'read', namespace: scope.path, key, subject: flight, facts: { keys: 1 } } as const
  const claiming = scope.shared.events.operations.run(operation, () => claim(load, flight, itself), (claimed) => {
    if ('landing' in claimed) return { result: 'hit' }
    return { result: claimed.right === 'memory' ? 'failed' : 'miss' }
  })
  return claiming.then(use)
}

/** Waiting for a load that another call has started. */
export function waitWatched({ scope, key, policy, gathering }: Load, flight: Flight, waiter: Waiter, waitedMs: number): Promise<Landing | typeof SLOW> {
  const { operations } = scope.shared.events
  if (!operations.wanted || gathering !== undefined) return waitFor(flight, policy, waiter, waitedMs)
  const operation = { name: 'wait', namespace: scope.path, key, subject: flight, facts: {} } as const
  return operations.run(operation, () => waitFor(flight, policy, waiter, waitedMs), (landing) => ({ landed: landing !== SLOW }))
}

/** Looking in Redis for one key. */
export function find<T>(scope: Scope, key: string, policy: Policy, use: (found: Adopted | undefined, hasAnswered: boolean) => T): Promise<T> {
  if (!isWatched(scope, policy) || !policy.read) return look(scope, key, policy, use)
  let result = 'failed'
  const useAndTell = (found: Adopted | undefined, hasAnswered: boolean): T => {
    if (hasAnswered) result = found === undefined ? 'miss' : 'hit'
    return use(found, hasAnswered)
  }
  return scope.shared.events.operations.run({ name: 'read', namespace: scope.path, key, facts: { keys: 1 } }, () => look(scope, key, policy, useAndTell), () => ({ result }))
}

/** Looking in Redis for as many keys at once. */
export function findMany<T>(scope: Scope, keys: number, policy: Policy, work: () => Promise<T>): Promise<T> {
  if (keys === 0 || !isWatched(scope, policy) || !policy.read) return work()
  return scope.shared.events.operations.run({ name: 'read', namespace: scope.path, facts: { keys } }, work)
}

/** As long as a batch that has begun looks in Redis: until it loads, or has all. */
export function findForBatch<T>(scope: Scope, batch: Batch<T>, policy: Policy, loads: Promise<unknown>): void {
  if (batch.open === 0 || !isWatched(scope, policy)) return
  const loaded = loads.then(noop, noop)
  void findMany(scope, batch.open, policy, () => Promise.race([batch.decided(), loaded]))
}

/** Storing in Redis what was loaded. */
export function commitWatched({ scope, key, policy, gathering }: Load, work: () => Promise<boolean>): Promise<boolean> {
  if (gathering !== undefined || !isWatched(scope, policy)) return work()
  return scope.shared.events.operations.run({ name: 'store', namespace: scope.path, key, facts: { keys: 1 } }, work, (isKept) => ({ kept: Number(isKept) }))
}

/** Storing in Redis what was set. `work` gives how many values were kept. */
export function storeWatched(scope: Scope, keys: number, policy: Policy, work: () => Promise<number>): Promise<number> {
  if (keys === 0 || !isWatched(scope, policy)) return work()
  return scope.shared.events.operations.run({ name: 'store', namespace: scope.path, facts: { keys } }, work, (kept) => ({ kept }))
}

const noop = () => {}
const itself = <T>(given: T): T => given

function isWatched({ shared: { events, remote } }: Scope, policy: Policy): boolean {
  return events.operations.wanted && remote !== undefined && policy.redis
}
