import type { Policy } from '../options/index.js'
import { adopt, type Adopted } from './adopt.js'
import type { Scope } from './scope.js'

/**
 * What Redis has fresh of a key, brought into memory. For those who only look: nothing is loaded, and nobody waits for a load.
 *
 * @param use Makes the result of what was found, without another promise: this is every hit in Redis. It is also told whether Redis has answered.
 */
export async function look<T>(scope: Scope, key: string, policy: Policy, use: (found: Adopted | undefined, hasAnswered: boolean) => T): Promise<T> {
  const { shared } = scope
  const { remote, fences, tokens, changes } = shared
  if (remote === undefined || !policy.read || !policy.redis) return use(undefined, false)
  const reachable = remote.reachable()
  if (!(reachable === true || (await reachable))) return use(undefined, false)
  let adopted: Adopted | undefined
  let hasAnswered = false
  const location = scope.locate(key)
  // With nothing to fill there is nothing to fence.
  const fence = policy.memory ? fences.open(location, scope.holdTokens(policy.tags, policy.room), changes.now) : undefined
  try {
    const reading = remote.entries.read(scope.path, key, scope.tokenIds(policy.tags, policy.room), remote.budget())
    await reading.arrived
    const judging = remote.entries.judge(reading)
    const found = judging instanceof Promise ? await judging : judging
    remote.succeeded()
    hasAnswered = true
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
  return use(adopted, hasAnswered)
}
