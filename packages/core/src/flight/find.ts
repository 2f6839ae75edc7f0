import type { Policy } from '../options/index.js'
import type { Remote } from '../redis/index.js'
import { adopt, type Sought } from './adopt.js'
import type { Scope } from './scope.js'

export interface Found {
  readonly value: unknown
  /** Until it is stale. */
  readonly msLeft: number
}

/** What Redis has fresh of a key, brought into memory. For those who only look: nothing is loaded, and nobody waits for a load. */
export async function find(scope: Scope, key: string, policy: Policy): Promise<Found | undefined> {
  const { shared } = scope
  const { remote, fences, tokens, changes } = shared
  if (remote === undefined || !policy.read || !policy.redis || !(await remote.reachable())) return undefined
  if (!policy.memory) return look(scope, remote, key, policy)
  const location = scope.locate(key)
  const fence = fences.open(location, scope.holdTokens(policy.tags, policy.room), changes.now)
  try {
    const found = await remote.entries.read(scope.path, key, scope.tokenIds(policy.tags, policy.room), remote.budget())
    remote.succeeded()
    if (found.state !== 'fresh') return undefined
    const adopted = await adopt({ scope, location, policy } satisfies Sought, fence, found)
    return adopted === undefined ? undefined : { value: adopted.value, msLeft: adopted.staleAt - Math.floor(performance.now()) }
  } catch (error) {
    remote.failed(error)
    return undefined
  } finally {
    fences.close(fence)
    tokens.release(fence.tokens)
  }
}

/** As `find`, for a call that leaves memory out: with nothing to fill there is nothing to fence. */
async function look(scope: Scope, remote: Remote, key: string, policy: Policy): Promise<Found | undefined> {
  try {
    const found = await remote.entries.read(scope.path, key, scope.tokenIds(policy.tags, policy.room), remote.budget())
    remote.succeeded()
    if (found.state !== 'fresh') return undefined
    const decoding = remote.entries.decode(found)
    const decoded = decoding instanceof Promise ? await decoding : decoding
    if (decoded.corrupt === undefined) return { value: decoded.value, msLeft: remote.clock.monotonic(found.header.softExpiresAt) - Math.floor(performance.now()) }
    scope.shared.countCorrupt(decoded.corrupt)
  } catch (error) {
    remote.failed(error)
  }
  return undefined
}
