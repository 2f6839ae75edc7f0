import type { Policy } from '../options/index.js'
import { adopt, type Adopted } from './adopt.js'
import type { Scope } from './scope.js'

/**
 * What Redis has fresh of a key, brought into memory. For those who only look: nothing is loaded, and nobody waits for a load.
 *
 * @param use Makes the result of what was found, without another promise: this is every hit in Redis.
 */
export async function find<T>(scope: Scope, key: string, policy: Policy, use: (found: Adopted | undefined) => T): Promise<T> {
  const { shared } = scope
  const { remote, fences, tokens, changes } = shared
  if (remote === undefined || !policy.read || !policy.redis) return use(undefined)
  const reachable = remote.reachable()
  if (!(reachable === true || (await reachable))) return use(undefined)
  let adopted: Adopted | undefined
  const location = scope.locate(key)
  // With nothing to fill there is nothing to fence.
  const fence = policy.memory ? fences.open(location, scope.holdTokens(policy.tags, policy.room), changes.now) : undefined
  try {
    const reading = remote.entries.read(scope.path, key, scope.tokenIds(policy.tags, policy.room), remote.budget())
    await reading.arrived
    const judging = remote.entries.judge(reading)
    const found = judging instanceof Promise ? await judging : judging
    remote.succeeded()
    if (found.state === 'fresh') {
      const adopting = adopt({ scope, location, policy }, fence, found)
      adopted = adopting instanceof Promise ? await adopting : adopting
    }
  } catch (error) {
    remote.failed(error)
  } finally {
    if (fence !== undefined) {
      fences.close(fence)
      tokens.release(fence.tokens)
    }
  }
  return use(adopted)
}
