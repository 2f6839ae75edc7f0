import type { Keyspace, Value } from '../keyspace/keyspace.js'
import { defineOperation } from '../keyspace/operation.js'

/**
 * Key: what was used of a limit. Arguments: how much more, how long the window is in seconds. Gives how much was used with it, and how many ms are left.
 * It is what `rate-limiter-flexible` does in Redis by itself, so that memory can do it as well.
 */
export const consumeOperation = defineOperation(
  `redis.call('SET', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
return {used, redis.call('PTTL', KEYS[1])}`,
  (call, [key = ''], [points = '', seconds = '']) => {
    call('SET', key, 0, 'EX', seconds, 'NX')
    return [call('INCRBY', key, points), call('PTTL', key)]
  },
)

/** What `RateLimiterRedis` uses of a client of node-redis, on a keyspace: with the deadlines of its link, the same for every client, and in memory as well. */
export class KeyspaceClient {
  readonly #keyspace: Keyspace

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace
  }

  /** It sends no other script than the one it was given. */
  async eval(_script: string, { keys, arguments: args }: { readonly keys: readonly string[]; readonly arguments: readonly string[] }): Promise<Value> {
    return await this.#keyspace.run(consumeOperation, keys, args)
  }

  async del(key: string): Promise<number> {
    return Number(await this.#keyspace.send(['UNLINK', key]))
  }
}
