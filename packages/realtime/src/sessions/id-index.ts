import { after, type Awaitable, type Keyspace, type Value } from '../keyspace/keyspace.js'
import { defineOperation, NOW_MS, nowMs } from '../keyspace/operation.js'
import { texts } from '../keyspace/reply.js'

/** Keys: index. Arguments: id, time to live in ms. An index lives as long as the longest of what is in it. */
const addOperation = defineOperation(
  `${NOW_MS}
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
  (call, [index = ''], [id = '', ttl]) => {
    const now = nowMs(call)
    call('ZADD', index, now + Number(ttl), id)
    call('ZREMRANGEBYSCORE', index, '-inf', now)
    if (Number(call('PTTL', index)) < Number(ttl)) call('PEXPIRE', index, Number(ttl))
    return 1
  },
)

/** Keys: index. Arguments: how many at most. First how many expired, then the others. */
const listOperation = defineOperation(
  `${NOW_MS}
local gone = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'LIMIT', '0', ARGV[1])
table.insert(ids, 1, tostring(gone))
return ids`,
  (call, [index = ''], [most]) => {
    const gone = call('ZREMRANGEBYSCORE', index, '-inf', nowMs(call))
    return [String(gone), ...texts(call('ZRANGEBYSCORE', index, '-inf', '+inf', 'LIMIT', 0, Number(most)))]
  },
)

/** Keys: index. First how many expired, then how many there are. */
const countOperation = defineOperation(
  `${NOW_MS}
return {redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now)), redis.call('ZCARD', KEYS[1])}`,
  (call, [index = '']) => [call('ZREMRANGEBYSCORE', index, '-inf', nowMs(call)), call('ZCARD', index)],
)

/**
 * Which ids there are, without looking through all keys: in a cluster they are spread over its servers. Each has the time of what it stands for. An id is added
 * before what it stands for and removed after it, so that nothing is there without being found; the other way round can be.
 */
export class IdIndex {
  readonly #keyspace: Keyspace
  readonly #key: string

  constructor(keyspace: Keyspace, key: string) {
    this.#keyspace = keyspace
    this.#key = key
  }

  add(id: string, ttlMs: number): Awaitable<Value> {
    return this.#keyspace.run(addOperation, [this.#key], [id, ttlMs])
  }

  remove(id: string): Awaitable<unknown> {
    return this.#keyspace.send(['ZREM', this.#key, id])
  }

  /** Those that expire first come first. */
  list(most: number): Awaitable<string[]> {
    return after(this.#keyspace.run(listOperation, [this.#key], [most]), (reply) => texts(reply).slice(1))
  }

  count(): Awaitable<{ readonly expired: number; readonly left: number }> {
    return after(this.#keyspace.run(countOperation, [this.#key], []), (reply) => {
      const [expired, left] = reply as [number, number]
      return { expired, left }
    })
  }
}
