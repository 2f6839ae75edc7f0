import { defineOperation } from '../keyspace/operation.js'

/** How long the last fence of a lock is remembered when nobody takes it: for a clock of Redis that is set back. */
const FENCE_MS = 86_400_000

/**
 * Keys: lock, fence. Arguments: token of who wants it, time to live in ms. Gives the fence, 0 when somebody else has it.
 *
 * A fence is greater than all before. It is Redis time in microseconds, or one more than the last where that is greater: when both keys are lost the next is greater all
 * the same, and when the clock is set back too. A second run with the same token, as after a lost reply, gives a fence that is greater again.
 */
export const acquireOperation = defineOperation(
  `local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or 0) or 0
local fence = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
redis.call('SET', KEYS[2], fence, 'PX', ${FENCE_MS})
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return fence`,
  (call, [lock = '', fences = ''], [token = '', ttl = '']) => {
    const holder = call('GET', lock)
    if (holder !== null && holder !== token) return 0
    const [seconds, micros] = call('TIME') as [string, string]
    const last = Number(call('GET', fences) ?? 0) || 0
    const fence = String(Math.max(last + 1, Number(seconds) * 1_000_000 + Number(micros)))
    call('SET', fences, fence, 'PX', FENCE_MS)
    call('SET', lock, token, 'PX', ttl)
    return fence
  },
)

/**
 * Keys: lock. Arguments: token, time to live in ms. Gives whether it was still the token's. It is never shortened, so that one that arrives late, or of which the answer was
 * lost, takes nothing from what the holder relies on. A Redis that is full does this too.
 */
export const extendOperation = defineOperation(
  `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
  (call, [lock = ''], [token, ttl = '']) => {
    if (call('GET', lock) !== token) return 0
    if (Number(call('PTTL', lock)) < Number(ttl)) call('PEXPIRE', lock, ttl)
    return 1
  },
)

/** Keys: lock. Argument: token. Gives whether it was still the token's. */
export const releaseOperation = defineOperation(
  `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`,
  (call, [lock = ''], [token]) => (call('GET', lock) === token ? call('UNLINK', lock) : 0),
)
