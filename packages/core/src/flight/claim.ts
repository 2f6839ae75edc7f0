import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Budget, Lease, RedisClock, Remote, Usable } from '../redis/index.js'
import { adopt } from './adopt.js'
import type { Flight, Landing } from './flight.js'
import { releaseDetached } from './forget.js'
import type { Load } from './load.js'

/**
 * What a load may do with its value. `'memory'`: keep it in this process only, where there is no Redis or it does not answer. `'nothing'`: another process is
 * loading the key and takes too long, or keeps nothing of it; ours is for those who wait here.
 */
export type RightToStore = Lease | 'memory' | 'nothing'

export type Claim = { readonly landing: Landing } | { readonly right: RightToStore }

/** How long we wait for another process to load a key. */
const LONGEST_WAIT_MS = 10_000
const FIRST_PAUSE_MS = 8
const LONGEST_PAUSE_MS = 50

/**
 * Looks in Redis, and if nothing good is there asks for the right to load, waiting while another process has it. Redis gets the call's deadline for all of
 * that; waiting for another's load is not Redis's time.
 *
 * @param use Makes the result of what it came to, without another promise: this is every hit in Redis. Not called before this has returned.
 */
export async function claim<T>(load: Load, flight: Flight, use: (claimed: Claim) => T | Promise<T>): Promise<T> {
  const { scope, policy } = load
  const { remote } = scope.shared
  const reachable = remote !== undefined && policy.redis && remote.reachable()
  const isReachable = reachable === true || (await reachable)
  if (remote === undefined || !isReachable) return use({ right: 'memory' })
  const budget = remote.budget()
  flight.budget = budget
  const ids = scope.tokenIds(policy.tags, policy.room)
  let claimed: Claim | undefined
  try {
    let useless: Buffer | undefined
    if (policy.read && !policy.looked) {
      const reading = remote.entries.read(scope.path, load.key, ids, budget)
      await reading.arrived
      const judging = remote.entries.judge(reading)
      const found = judging instanceof Promise ? await judging : judging
      remote.succeeded()
      if (found.state === 'fresh' && !(flight.background && isDueForRenewal(found, policy.refresh, remote.clock))) {
        const adopting = adopt(load, flight.fence, found)
        const landing = adopting instanceof Promise ? await adopting : adopting
        if (landing !== undefined) claimed = { landing }
      }
      if (found.state === 'stale') flight.previous = (await adopt(load, flight.fence, found))?.stale
      if (found.state !== 'none') useless = found.entry
      flight.isInRedis = found.state !== 'none'
    }
    claimed ??= await claimRight(load, flight, remote, ids, useless, budget)
  } catch (error) {
    remote.failed(error)
    claimed = { right: 'memory' }
  }
  return use(claimed)
}

async function claimRight(load: Load, flight: Flight, remote: Remote, ids: readonly string[], known: Buffer | undefined, firstBudget: Budget): Promise<Claim> {
  const { scope, key, policy } = load
  const { path, shared } = scope
  if (!policy.write) return { right: 'nothing' }
  if (!policy.read) {
    // What is there, and what is being loaded, may be older than what this call is to see.
    const lease = await remote.entries.seize(path, key, ids, firstBudget)
    if (flight.fence.holds) for (const [id, written] of lease.tokens) shared.tokens.learn(id, written)
    flight.lease = lease
    // Nobody looked.
    flight.isInRedis = true
    return { right: lease }
  }
  const until = performance.now() + LONGEST_WAIT_MS
  let useless = known
  let budget = firstBudget
  let pauseMs = FIRST_PAUSE_MS
  let awaited: string | undefined
  for (;;) {
    const acquired = await remote.entries.acquire(path, key, ids, useless, awaited, budget)
    if (flight.isGivenUp) {
      if (acquired.state === 'own') remote.release(acquired.lease)
      return { right: 'nothing' }
    }
    if (acquired.state === 'own') {
      // Where other tokens are known here, the flight began before a change that has not arrived yet: its fence does not hold any more.
      if (flight.fence.holds) for (const [id, written] of acquired.lease.tokens) shared.tokens.learn(id, written)
      remote.succeeded()
      flight.lease = acquired.lease
      return { right: acquired.lease }
    }
    if (acquired.state === 'fresh') {
      const landing = await adopt(load, flight.fence, acquired)
      if (landing !== undefined) return { landing }
    }
    if (acquired.state === 'in-vain') return { right: 'nothing' }
    if (acquired.state !== 'wait') {
      useless = acquired.entry
      flight.isInRedis = true
      continue
    }
    releaseDetached(shared)
    // Somebody else is renewing what is still good here.
    if (flight.background || performance.now() > until) return { right: 'nothing' }
    load.gathering?.waits()
    awaited = acquired.lease
    await pause(randomInt(Math.round(pauseMs), Math.round(3 * pauseMs)), undefined, { ref: false })
    pauseMs = Math.min(pauseMs * 1.2, LONGEST_PAUSE_MS)
    // It may have gone meanwhile, or have been restarted with what it had before.
    if (!(await remote.reachable())) return { right: 'memory' }
    // Redis took none of the time that the other's load takes.
    budget = remote.budget()
    flight.budget = budget
  }
}

function isDueForRenewal({ header }: Usable, refresh: number, clock: RedisClock): boolean {
  return header.softExpiresAt - (1 - refresh) * header.ttl <= clock.redisTime(performance.now())
}
