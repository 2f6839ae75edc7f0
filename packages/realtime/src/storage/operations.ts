import { defineOperation } from '../keyspace/operation.js'

/** Keys: list. Arguments: item, most items, time to live in ms, channel, message. What is heard of is there. */
export const appendAndTell = defineOperation(
  `redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], '-' .. ARGV[2], '-1')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('PUBLISH', ARGV[4], ARGV[5])`,
  (call, [list = ''], [item = '', most, ttl, channel = '', message = '']) => {
    call('RPUSH', list, item)
    call('LTRIM', list, -Number(most), -1)
    call('PEXPIRE', list, Number(ttl))
    return call('PUBLISH', channel, message)
  },
)

/** Keys: list. Arguments: item, most items, time to live in ms. Each item is in it once, where it was put last. */
export const moveToEnd = defineOperation(
  `redis.call('LREM', KEYS[1], '0', ARGV[1])
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], '-' .. ARGV[2], '-1')
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`,
  (call, [list = ''], [item = '', most, ttl]) => {
    call('LREM', list, 0, item)
    call('RPUSH', list, item)
    call('LTRIM', list, -Number(most), -1)
    return call('PEXPIRE', list, Number(ttl))
  },
)

/** Keys: text. Arguments: what it must be, what it becomes, time to live in ms. */
export const replaceIfSame = defineOperation(
  `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`,
  (call, [key = ''], [expected, next = '', ttl]) => {
    if (call('GET', key) !== expected) return 0
    call('SET', key, next, 'PX', Number(ttl))
    return 1
  },
)
