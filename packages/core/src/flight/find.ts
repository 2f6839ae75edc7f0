import type { Policy } from '../options/index.js'
import { adopt } from './adopt.js'
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
  if (remote === undefined || !policy.read || !policy.redis) return undefined
  const reachable = remote.reachable()
  if (!(reachable === true || (await reachable))) return undefined
  const location = scope.locate(key)
  // With nothing to fill there is nothing to fence.
  const fence = policy.memory ? fences.open(location, scope.holdTokens(policy.tags, policy.room), changes.now) : undefined
  try {
    const reading = remote.entries.read(scope.path, key, scope.tokenIds(policy.tags, policy.room), remote.budget())
    await reading.arrived
    const judging = remote.entries.judge(reading)
    const found = judging instanceof Promise ? await judging : judging
    remote.succeeded()
    if (found.state !== 'fresh') return undefined
    const adopting = adopt({ scope, location, policy }, fence, found)
    const adopted = adopting instanceof Promise ? await adopting : adopting
    return adopted && { value: adopted.value, msLeft: adopted.staleAt - Math.floor(performance.now()) }
  } catch (error) {
    remote.failed(error)
    return undefined
  } finally {
    if (fence !== undefined) {
      fences.close(fence)
      tokens.release(fence.tokens)
    }
  }
}
