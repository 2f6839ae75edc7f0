import type { FaultProxy, RedisServer } from '@tiercel/core/testing'
import { vi } from 'vitest'

/** What goes wrong with a Redis, or with the way to it. */
export interface Fault {
  readonly name: string
  readonly injected: string
  /** Whether Redis has lost what it had when it is over. */
  readonly forgets?: boolean
  begin(redis: RedisServer, proxy: FaultProxy): unknown
  end(redis: RedisServer, proxy: FaultProxy): unknown
}

const REPLIES_LOST = 100

/** Every so often a reply is lost, of whichever connection it is. */
function losingReplies(): Pick<Fault, 'begin' | 'end'> {
  let timer: NodeJS.Timeout | undefined
  let asked = 0
  return {
    begin: async (_, proxy) => {
      timer = setInterval(() => proxy.dropReply({ nth: 1 + ((asked++ * 7) % 20) }), 20)
      await vi.waitUntil(() => proxy.counts.dropped >= REPLIES_LOST, { timeout: 90_000, interval: 10 })
    },
    end: (_, proxy) => {
      clearInterval(timer)
      return proxy.heal()
    },
  }
}

export const faults: readonly Fault[] = [
  { name: 'killed', injected: 'SIGKILL, and a start with its append-only file', begin: (redis) => redis.kill(), end: (redis) => redis.start() },
  { name: 'restarted empty', injected: 'SIGKILL, and a start with nothing', forgets: true, begin: (redis) => redis.kill(), end: (redis) => redis.restart() },
  { name: 'paused', injected: 'SIGSTOP, and SIGCONT', begin: (redis) => redis.pause(), end: (redis) => redis.resume() },
  { name: 'full', injected: 'maxmemory, noeviction', begin: (redis) => redis.fillUp(), end: (redis) => redis.drain() },
  { name: 'read-only', injected: 'REPLICAOF, and promoted again', begin: (redis) => redis.cli('REPLICAOF', '127.0.0.1', '1'), end: (redis) => redis.promote() },
  { name: 'half-open', injected: 'what is sent and what is replied is lost', begin: (_, proxy) => proxy.blackhole(), end: (_, proxy) => proxy.heal() },
  { name: 'losing replies', injected: `RST in place of ${REPLIES_LOST} replies, of commands that were executed`, ...losingReplies() },
]
