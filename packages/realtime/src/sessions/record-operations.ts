import { type Call, defineOperation, NOW_MS } from '../keyspace/operation.js'
import { texts } from '../keyspace/reply.js'

// A session is one hash. Its fields begin with what they are: `.` a field of the session, `+` a member, `@` what is kept beside it.
export const VERSION = '@version'
/** When it was changed last, in microseconds of Redis time. Never the same twice, and never less than before. */
export const CHANGED = '@changed'
export const CREATED = '@created'

/** When to begin: what arrives after `until` was given up by who sent it. Without a stamp it is now. */
const STAMP = `${NOW_MS}
local micros = time[1] * 1000000 + time[2]
local stamp = tonumber(ARGV[1]) or micros
if ARGV[2] ~= '' and micros > tonumber(ARGV[2]) then return 'late' end
local function number(value) return string.format('%.0f', value) end
`

function stampOf(call: Call, stamp: string | undefined): number {
  const [seconds, micros] = call('TIME') as [string, string]
  return stamp === undefined || stamp === '' ? Number(seconds) * 1_000_000 + Number(micros) : Number(stamp)
}

/**
 * Keys: session, its tombstone, what lives as long as it. Arguments: stamp, until when, `create` or `change`, time to live in ms, how many fields to set, those with their values, those to
 * remove. Gives the session and how long it lives; nothing if it should have been there and was not. A session that is created replaces one that is there.
 */
export const writeOperation = defineOperation(
  `${STAMP}
local before = tonumber(redis.call('HGET', KEYS[1], '${CHANGED}')) or 0
local isNew = ARGV[3] == 'create'
if before == 0 and not isNew then return false end
local at = math.max(stamp, before + 1)
local version = (tonumber(redis.call('HGET', KEYS[1], '${VERSION}')) or 0) + 1
local set = {'${VERSION}', number(version), '${CHANGED}', number(at)}
if isNew then
  set[5] = '${CREATED}'
  set[6] = number(at)
end
local fields = tonumber(ARGV[5])
for i = 6, 5 + 2 * fields do set[#set + 1] = ARGV[i] end
local gone = {}
for i = 6 + 2 * fields, #ARGV do gone[#gone + 1] = ARGV[i] end
if isNew then for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do gone[#gone + 1] = field end end
for i = 1, #set, 2 do redis.call('HSET', KEYS[1], set[i], set[i + 1]) end
for _, field in ipairs(gone) do
  local kept = false
  for i = 1, #set, 2 do kept = kept or set[i] == field end
  if not kept then redis.call('HDEL', KEYS[1], field) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
for i = 3, #KEYS do
  if isNew then redis.call('UNLINK', KEYS[i]) else redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
end
redis.call('UNLINK', KEYS[2])
return {redis.call('HGETALL', KEYS[1]), redis.call('PTTL', KEYS[1])}`,
  (call, [session = '', tombstone = '', ...others], [stamp, , mode, ttl, count, ...rest]) => {
    const before = Number(call('HGET', session, CHANGED) ?? 0)
    const isNew = mode === 'create'
    if (before === 0 && !isNew) return null
    const at = Math.max(stampOf(call, stamp), before + 1)
    const version = Number(call('HGET', session, VERSION) ?? 0) + 1
    const set = [VERSION, version, CHANGED, at, ...(isNew ? [CREATED, at] : []), ...rest.slice(0, 2 * Number(count))]
    const gone = rest.slice(2 * Number(count))
    if (isNew) gone.push(...texts(call('HKEYS', session)))
    call('HSET', session, ...set)
    const kept = new Set(set.filter((_, i) => i % 2 === 0))
    for (const field of gone) if (!kept.has(field)) call('HDEL', session, field)
    call('PEXPIRE', session, Number(ttl))
    for (const other of others) {
      if (isNew) call('UNLINK', other)
      else call('PEXPIRE', other, Number(ttl))
    }
    call('UNLINK', tombstone)
    return [call('HGETALL', session), call('PTTL', session)]
  },
)

/** Keys: session. The session and how long it lives; nothing if there is none. */
export const readOperation = defineOperation(
  `if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return {redis.call('HGETALL', KEYS[1]), redis.call('PTTL', KEYS[1])}`,
  (call, [session = '']) => (call('EXISTS', session) === 0 ? null : [call('HGETALL', session), call('PTTL', session)]),
)

/** Keys: session, its tombstone, what else goes with it. Arguments: stamp, until when, for how long in ms to remember that it is gone. */
export const removeOperation = defineOperation(
  `${STAMP}
local before = tonumber(redis.call('HGET', KEYS[1], '${CHANGED}')) or 0
redis.call('UNLINK', KEYS[1], unpack(KEYS, 3))
if ARGV[3] ~= '0' and before > 0 then redis.call('SET', KEYS[2], number(math.max(stamp, before + 1)), 'PX', ARGV[3]) end
return before > 0 and 1 or 0`,
  (call, [session = '', tombstone = '', ...others], [stamp, , memory]) => {
    const before = Number(call('HGET', session, CHANGED) ?? 0)
    call('UNLINK', session, ...others)
    if (memory !== '0' && before > 0) call('SET', tombstone, Math.max(stampOf(call, stamp), before + 1), 'PX', Number(memory))
    return before > 0 ? 1 : 0
  },
)

/**
 * What a session in a process becomes in Redis when both went their own ways: the newer one wins.
 *
 * Keys: session, its tombstone. Arguments: stamp of ours, until when, the stamps by which we know it, with commas, time to live in ms, for how long to remember
 * that it is gone, then the fields of ours, none if ours is gone. Gives what was done and what was there.
 *
 * - `written`: ours is there now, and nobody else had changed it
 * - `replaced`: ours is there now, and somebody else had changed or removed it before that
 * - `kept`: somebody else has changed or removed it later, and so it stays
 */
export const mergeOperation = defineOperation(
  `${STAMP}
local theirs = redis.call('HGET', KEYS[1], '${CHANGED}')
local gone = not theirs and redis.call('GET', KEYS[2])
local last = tonumber(theirs or gone or '0')
local there = redis.call('HGETALL', KEYS[1])
local isKnown = last == 0 or last == stamp or string.find(',' .. ARGV[3] .. ',', ',' .. number(last) .. ',', 1, true) ~= nil
if not isKnown and last > stamp then return {'kept', there} end
redis.call('UNLINK', KEYS[1])
if #ARGV > 5 then
  for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  redis.call('UNLINK', KEYS[2])
else
  redis.call('SET', KEYS[2], number(stamp), 'PX', ARGV[5])
end
return {isKnown and 'written' or 'replaced', there}`,
  (call, [session = '', tombstone = ''], [stamp, , known = '', ttl, memory, ...fields]) => {
    const last = Number(call('HGET', session, CHANGED) ?? call('GET', tombstone) ?? 0)
    const there = call('HGETALL', session)
    const isKnown = last === 0 || last === Number(stamp) || known.split(',').includes(String(last))
    if (!isKnown && last > Number(stamp)) return ['kept', there]
    call('UNLINK', session)
    if (fields.length > 0) {
      call('HSET', session, ...fields)
      call('PEXPIRE', session, Number(ttl))
      call('UNLINK', tombstone)
    } else {
      call('SET', tombstone, Number(stamp), 'PX', Number(memory))
    }
    return [isKnown ? 'written' : 'replaced', there]
  },
)

/** Keys: session, list. Arguments: item, most items, time to live in ms of both. Gives how many there are then; 0 when there is no such session. */
export const appendOperation = defineOperation(
  `if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('LTRIM', KEYS[2], '-' .. ARGV[2], '-1')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return redis.call('LLEN', KEYS[2])`,
  (call, [session = '', list = ''], [item = '', most, ttl]) => {
    if (call('EXISTS', session) === 0) return 0
    call('RPUSH', list, item)
    call('LTRIM', list, -Number(most), -1)
    call('PEXPIRE', session, Number(ttl))
    call('PEXPIRE', list, Number(ttl))
    return call('LLEN', list)
  },
)
