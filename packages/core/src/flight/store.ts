import { survey, type Survey } from '../codec/index.js'
import type { Change, Fence } from '../coherence/index.js'
import { RedisRefusedError, UncacheableValueError } from '../errors/index.js'
import type { Policy } from '../options/index.js'
import type { Budget, Guard, Lease, Remote } from '../redis/index.js'
import { fill, jittered } from './fill.js'
import { isKeepable, notKept, storesAnywhere } from './load.js'
import type { Scope } from './scope.js'

type Pair = readonly [key: string, value: unknown]

/** A value that is being set, and what was found out about it. */
interface Setting {
  readonly key: string
  readonly value: unknown
  readonly location: string
  readonly fence: Fence
  readonly found: Survey
  readonly freshMs: number
}

/** For a value that was made some time before it is stored. */
export interface Deferral {
  /** Whether nothing that was heard since makes it too old. Asked when everything from before has been heard and nobody can store another value any more. */
  holds(): boolean
  /** Goes to other processes with the news. */
  readonly note?: string | undefined
  /** Shows that nothing has happened that was not heard, which spares the question. */
  readonly guard?: Guard | undefined
}

/**
 * Keeps values that somebody sets; what is being loaded for their keys is older, and is not kept. In Redis each takes the lease of its key away from whoever
 * loads it, and all are announced once. Resolves to how many were kept.
 */
export async function store(scope: Scope, pairs: readonly Pair[], policy: Policy, deferral?: Deferral): Promise<number> {
  if (!policy.write) return 0
  const { shared } = scope
  const reachable = policy.redis ? shared.remote?.reachable() : undefined
  if (reachable instanceof Promise) await reachable
  const settings: Setting[] = []
  const emptied: string[] = []
  for (const pair of pairs) {
    const setting = begin(scope, pair, policy)
    if (setting === undefined) emptied.push(pair[0])
    else settings.push(setting)
  }
  const { remote } = shared
  if (remote === undefined || !policy.redis) return settings.filter((setting) => endInMemory(scope, setting, policy)).length

  if (emptied.length > 0) await remote.invalidate(changeOf(scope, emptied))
  if (await remote.reachable()) return storeInRedis(scope, remote, settings, policy, deferral)
  if (settings.length > 0) await remote.invalidate(changeOf(scope, settings.map(({ key }) => key)))
  return settings.filter((setting) => endInMemory(scope, setting, policy)).length
}

/** Forgets what there was of the key. Gives `undefined` when the value is not one to keep, so that the key is empty from now on. */
function begin(scope: Scope, [key, value]: Pair, policy: Policy): Setting | undefined {
  const { shared } = scope
  const location = scope.locate(key)
  shared.fences.breakKey(location)
  shared.memory.delete(location)
  if (!isKeepable(value, policy.ttl, policy) || !storesAnywhere(scope, policy)) return undefined
  try {
    const found = survey(value, shared.valueLimits)
    const fence = shared.fences.open(location, scope.holdTokens(policy.tags, policy.room), shared.changes.now)
    return { key, value, location, fence, found, freshMs: jittered(policy, policy.ttl) }
  } catch (error) {
    notKept(scope, key, policy, error)
    return undefined
  }
}

/** Puts the value into memory, if it still is the newest. Returns whether it is kept there. */
function endInMemory(scope: Scope, { key, value, location, fence, found, freshMs }: Setting, policy: Policy): boolean {
  const { fences, tokens, closed } = scope.shared
  const isNewest = fence.holds
  fences.close(fence)
  // Once more: what began while we waited for Redis may have seen the older value.
  fences.breakKey(location)
  let isKept = false
  try {
    if (policy.memory && isNewest && !closed) {
      fill(scope, { location, key, value, bytes: found.bytes, ttl: policy.ttl, freshMs, grace: policy.grace, etag: undefined, loadedAt: fence.openedTime, tokens: fence.tokens })
      isKept = true
    }
  } catch (error) {
    notKept(scope, key, policy, error)
  }
  if (!isKept) tokens.release(fence.tokens)
  return isKept
}

async function storeInRedis(scope: Scope, remote: Remote, settings: readonly Setting[], policy: Policy, deferral: Deferral | undefined): Promise<number> {
  const budget = remote.budget()
  const announcesAlone = settings.length === 1
  const outcomes = await Promise.all(settings.map((setting) => commit(scope, remote, budget, setting, policy, announcesAlone, deferral)))
  const keysWith = (outcome: Outcome) => settings.filter((_, i) => outcomes[i] === outcome).map(({ key }) => key)
  const stored = keysWith('stored')
  const failed = keysWith('failed')
  if (stored.length > 0 && !announcesAlone) {
    try {
      await remote.announce(changeOf(scope, stored), budget)
    } catch {
      failed.push(...stored)
    }
  }
  const refused = keysWith('refused')
  if (refused.length > 0) await remote.invalidate(changeOf(scope, refused))
  // Redis may hold the older value of these, or others may serve it.
  if (failed.length > 0) remote.postpone(changeOf(scope, failed))
  return settings.filter((setting, i) => {
    // What is not in Redis may be kept here all the same, as in any outage.
    const isInMemory = outcomes[i] === 'superseded' || outcomes[i] === 'not-encodable' ? drop(scope, setting) : endInMemory(scope, setting, policy)
    return isInMemory || outcomes[i] === 'stored'
  }).length
}

/** `'refused'`: Redis answers, and takes no value; it can be told to forget the older one. `'failed'`: who knows. */
type Outcome = 'stored' | 'superseded' | 'not-encodable' | 'refused' | 'failed'

async function commit(
  scope: Scope,
  remote: Remote,
  budget: Budget,
  { key, value, fence, found, freshMs }: Setting,
  policy: Policy,
  announces: boolean,
  deferral: Deferral | undefined,
): Promise<Outcome> {
  const { path, counters, shared } = scope
  const { ttl, grace } = policy
  const ids = scope.tokenIds(policy.tags, policy.room)
  const change = announces ? { ...changeOf(scope, [key]), note: deferral?.note } : undefined
  const encode = (lease: Omit<Lease, 'id'>) => remote.entries.encode(lease, { value, form: found.form, ttl, freshMs, grace, etag: undefined })
  try {
    const known = deferral?.guard === undefined ? undefined : remote.knownTokens(ids)
    if (known !== undefined && deferral?.guard !== undefined && change !== undefined) {
      const basis = { path, key, tokens: known }
      const bytes = await encode(basis)
      if (deferral.holds() && (await remote.storeAtOnce(basis, bytes, freshMs + grace, deferral.guard, budget, change))) return 'stored'
    }
    const lease = deferral === undefined ? await remote.entries.seize(path, key, ids, budget, 'drop') : await remote.seizeInTurn(path, key, ids, budget)
    if (deferral?.holds() === false) {
      remote.release(lease)
      counters.add('droppedCommits')
      return 'superseded'
    }
    if (fence.holds) for (const [id, written] of lease.tokens) shared.tokens.learn(id, written)
    const bytes = await encode(lease)
    if (await remote.commit(lease, bytes, freshMs + grace, budget, change)) return 'stored'
    counters.add('droppedCommits')
    return 'superseded'
  } catch (error) {
    if (error instanceof UncacheableValueError) {
      notKept(scope, key, policy, error)
      await remote.invalidate(changeOf(scope, [key]))
      return 'not-encodable'
    }
    remote.failed(error)
    return error instanceof RedisRefusedError ? 'refused' : 'failed'
  }
}

function drop(scope: Scope, { fence, location }: Setting): false {
  scope.shared.fences.close(fence)
  scope.shared.fences.breakKey(location)
  scope.shared.tokens.release(fence.tokens)
  return false
}

function changeOf({ path }: Scope, keys: readonly string[]): Change {
  return { mode: 'invalidate', path, keys, labels: [], pattern: undefined }
}
