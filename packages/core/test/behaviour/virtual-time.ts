import { vi } from 'vitest'
import { Sequence } from '../../src/coherence/index.js'
import { Bus } from '../../src/redis/bus.js'
import { ClusterConnection } from '../../src/redis/clients/cluster.js'
import { Line } from '../../src/redis/clients/line.js'
import type { RedisConnection } from '../../src/redis/clients/redis-connection.js'
import type { Argument } from '../../src/redis/clients/reply.js'
import type { Script } from '../../src/redis/clients/script.js'
import { ServerConnection } from '../../src/redis/clients/server.js'
import { RedisClock } from '../../src/redis/redis-clock.js'
import { acquireScript, commitAndAnnounceScript, commitScript, renewScript, replaceScript, seizeScript, storeAtOnceScript } from '../../src/redis/scripts.js'
import type { Cache } from '../../src/index.js'

/** How time goes by for a kind of cache. */
export interface Clock {
  start(): void
  /** A cache has been made whose time this is. */
  watch(cache: Cache): void
  pass(ms: number): Promise<void>
  stop(): void
}

const toFake = ['performance', 'setTimeout', 'clearTimeout', 'Date'] as const

/** Time for what is in this process only: everything that is due happens within `pass`. */
export const timeOfThisProcess: Clock = {
  start: () => void vi.useFakeTimers({ toFake: [...toFake] }),
  watch: () => {},
  pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
  stop: () => void vi.useRealTimers(),
}

/** What it is in Redis when it is 0 here. */
const REDIS_EPOCH = 1_700_000_000_000
/** A reply can be between the socket and whoever waits for it for some turns of the event loop. */
const QUIET_TURNS = 4
const LONGEST_SETTLING_MS = 30_000
/** Redis counts real time, so what it is to keep for a second would be gone if a test were held up for one. No test takes this long. */
const KEPT_IN_REDIS_MS = 3_600_000

/** Which argument says how long an entry or a lease is kept. */
const lifetimes: readonly (readonly [script: Script, argument: number])[] = [
  [acquireScript, 1],
  [seizeScript, 1],
  [renewScript, 1],
  [commitScript, 2],
  [commitAndAnnounceScript, 2],
  [storeAtOnceScript, 1],
  [replaceScript, 2],
]

/** Where a cache waits for what Redis says. */
const questions: readonly (readonly [prototype: object, method: string])[] = [
  [Line.prototype, 'send'],
  [ClusterConnection.prototype, 'send'],
  [ClusterConnection.prototype, 'masters'],
  [Bus.prototype, 'listen'],
  [Sequence.prototype, 'deliveredUpTo'],
]

/**
 * Time for caches in front of a Redis that really runs. Time in this process stands still but for `pass`, and Redis is taken to have the same time: whether an
 * entry is fresh is decided by what it says of itself, in the time that heartbeats bring, so there is one place where that comes in; Redis itself keeps entries
 * and leases for longer than any test takes. Before each timer that `pass` lets fire it waits until all that was asked has been answered, so that no deadline
 * passes that a moment ago was far off.
 */
export function timeWithRedis(): Clock {
  const connecting = new Set<Cache>()
  const { setTimeout: realTimeout, clearTimeout: clearRealTimeout } = globalThis
  // Not by mocks: a test may restore those.
  const changed: (() => void)[] = []
  let unanswered = 0

  function change(prototype: object, name: string, changes: PropertyDescriptor): void {
    const before = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
    Object.defineProperty(prototype, name, { ...before, ...changes })
    changed.push(() => Object.defineProperty(prototype, name, before))
  }

  function countUnanswered(prototype: object, method: string): void {
    const ask = Object.getOwnPropertyDescriptor(prototype, method)?.value as (...args: unknown[]) => Promise<unknown>
    change(prototype, method, {
      value(this: unknown, ...args: unknown[]) {
        unanswered++
        const answer = ask.apply(this, args)
        const answered = () => void unanswered--
        answer.then(answered, answered)
        return answer
      },
    })
  }

  function keepForLong(prototype: object): void {
    const run = Object.getOwnPropertyDescriptor(prototype, 'run')?.value as RedisConnection['run']
    change(prototype, 'run', {
      value(this: RedisConnection, script: Script, keys: readonly string[], args: readonly Argument[], timeoutMs: number) {
        const lifetime = lifetimes.find(([other]) => other === script)?.[1]
        return run.call(this, script, keys, lifetime === undefined ? args : args.with(lifetime, String(KEPT_IN_REDIS_MS)), timeoutMs)
      },
    })
  }

  async function settle(): Promise<void> {
    let isLate = false
    const limit = realTimeout(() => (isLate = true), LONGEST_SETTLING_MS)
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = unanswered === 0 && connecting.size === 0 ? quiet + 1 : 0) {
      if (isLate) throw new Error(`Redis has not settled: ${unanswered} questions are unanswered, ${connecting.size} caches are connecting`)
      await new Promise((resolve) => setImmediate(resolve))
    }
    clearRealTimeout(limit)
  }

  return {
    start() {
      vi.useFakeTimers({ toFake: [...toFake] })
      // Else a cache that is connecting would look now and then whether it is, and that takes time. It may as well try: it waits until it is.
      for (const { prototype } of [ServerConnection, ClusterConnection]) {
        change(prototype, 'isUp', { get: () => true })
        keepForLong(prototype)
      }
      const { learn } = RedisClock.prototype
      change(RedisClock.prototype, 'learn', {
        value(this: RedisClock, _: number, askedAt: number) {
          learn.call(this, REDIS_EPOCH + askedAt, askedAt)
        },
      })
      for (const [prototype, method] of questions) countUnanswered(prototype, method)
    },
    watch(cache) {
      connecting.add(cache)
      cache.on('state', () => connecting.delete(cache))
    },
    async pass(ms) {
      await settle()
      const end = { isReached: false }
      setTimeout(() => (end.isReached = true), ms)
      while (!end.isReached) {
        await vi.advanceTimersToNextTimerAsync()
        await settle()
      }
      await vi.advanceTimersByTimeAsync(0)
      await settle()
    },
    stop() {
      for (const undo of changed.splice(0)) undo()
      connecting.clear()
      vi.useRealTimers()
    },
  }
}
