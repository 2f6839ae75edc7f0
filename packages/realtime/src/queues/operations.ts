import { defineOperation, NOW_MS, nowMs } from '../keyspace/operation.js'
import type { Value } from '../keyspace/keyspace.js'

/** Every worker of a queue is one of this group, and all under one name: who has an item does not matter, only since when. */
const GROUP = 'workers'

/**
 * Keys: queue, names seen. Arguments: item, time to live in ms, most items, name of the item or nothing.
 * Gives the id, 0 when that name was seen, -1 when the queue is full. The first thing it writes is the item: a Redis that is full refuses only that.
 */
export const addOperation = defineOperation(
  `${NOW_MS}
local ttl = tonumber(ARGV[2])
local oldest = now - ttl
local seen = ARGV[4] ~= '' and redis.call('ZSCORE', KEYS[2], ARGV[4])
if seen and tonumber(seen) > oldest then return 0 end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', oldest))
  if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return -1 end
end
local id = redis.call('XADD', KEYS[1], '*', 'item', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ttl)
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[4])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', oldest))
  redis.call('PEXPIRE', KEYS[2], ttl)
end
return id`,
  (call, [queue = '', names = ''], [item = '', ttl, most, name = '']) => {
    const now = nowMs(call)
    const oldest = now - Number(ttl)
    const seen = name === '' ? null : call('ZSCORE', names, name)
    if (seen !== null && Number(seen) > oldest) return 0
    if (Number(call('XLEN', queue)) >= Number(most)) {
      call('XTRIM', queue, 'MINID', oldest)
      if (Number(call('XLEN', queue)) >= Number(most)) return -1
    }
    const id = call('XADD', queue, '*', 'item', item)
    call('PEXPIRE', queue, Number(ttl))
    if (name !== '') {
      call('ZADD', names, now, name)
      call('ZREMRANGEBYSCORE', names, '-inf', oldest)
      call('PEXPIRE', names, Number(ttl))
    }
    return id
  },
)

/**
 * Keys: queue. Arguments: time to live, how long a claim holds, both in ms, how many at most, 1 if they are to go at once.
 * First what somebody claimed and did not finish in time, then what nobody has claimed yet.
 */
export const claimOperation = defineOperation(
  `${NOW_MS}
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', now - tonumber(ARGV[1])))
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
redis.pcall('XGROUP', 'CREATE', KEYS[1], '${GROUP}', '0')
local most = tonumber(ARGV[3])
local items = {}
local cursor = '0-0'
repeat
  local reply = redis.call('XAUTOCLAIM', KEYS[1], '${GROUP}', 'worker', ARGV[2], cursor, 'COUNT', most - #items)
  cursor = reply[1]
  for _, item in ipairs(reply[2]) do items[#items + 1] = item end
until cursor == '0-0' or #items >= most
if #items < most then
  local reply = redis.call('XREADGROUP', 'GROUP', '${GROUP}', 'worker', 'COUNT', most - #items, 'STREAMS', KEYS[1], '>')
  if reply then for _, item in ipairs(reply[1][2]) do items[#items + 1] = item end end
end
if ARGV[4] == '1' then
  for _, item in ipairs(items) do
    redis.call('XACK', KEYS[1], '${GROUP}', item[1])
    redis.call('XDEL', KEYS[1], item[1])
  end
end
return items`,
  (call, [queue = ''], [ttl, hold = '', most, goes]) => {
    call('XTRIM', queue, 'MINID', nowMs(call) - Number(ttl))
    if (call('EXISTS', queue) === 0) return []
    try {
      call('XGROUP', 'CREATE', queue, GROUP, '0')
    } catch {
      // It is there.
    }
    const [, lapsed] = call('XAUTOCLAIM', queue, GROUP, 'worker', hold, '0-0', 'COUNT', Number(most)) as [string, Value[]]
    const left = Number(most) - lapsed.length
    const fresh = left > 0 ? (call('XREADGROUP', 'GROUP', GROUP, 'worker', 'COUNT', left, 'STREAMS', queue, '>') as [[string, Value[]]] | null) : null
    const items = [...lapsed, ...(fresh?.[0][1] ?? [])]
    if (goes === '1') {
      for (const [id] of items as [string][]) {
        call('XACK', queue, GROUP, id)
        call('XDEL', queue, id)
      }
    }
    return items
  },
)

/** Keys: queue. Arguments: ids. Gives how many there were. */
export const acknowledgeOperation = defineOperation(
  `local gone = 0
for _, id in ipairs(ARGV) do
  redis.call('XACK', KEYS[1], '${GROUP}', id)
  gone = gone + redis.call('XDEL', KEYS[1], id)
end
return gone`,
  (call, [queue = ''], ids) => {
    call('XACK', queue, GROUP, ...ids)
    return call('XDEL', queue, ...ids)
  },
)

/** Keys: queue. Arguments: time to live in ms. */
export const listOperation = defineOperation(
  `${NOW_MS}
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', now - tonumber(ARGV[1])))
return redis.call('XRANGE', KEYS[1], '-', '+')`,
  (call, [queue = ''], [ttl]) => {
    call('XTRIM', queue, 'MINID', nowMs(call) - Number(ttl))
    return call('XRANGE', queue, '-', '+')
  },
)
