import { softExpiryBytes, softExpiryOffset } from '../codec/index.js'
import { defineScript } from './clients/index.js'

// All scripts are constant text: what users name reaches them as KEYS and ARGV only.
// `pcall` where a key may hold something that is not ours: a wrong type counts as nothing there.

/** Reads or makes tokens, and keeps alive those that are in use. A token is made of the caller's nonce and a number, so no two are ever alike. */
const tokensFrom = `
local function tokens(first, nonce, ttl)
  local list = {}
  for i = first, #KEYS do
    local token = redis.pcall('GET', KEYS[i])
    if type(token) ~= 'string' then
      token = nonce .. '.' .. i
      redis.call('SET', KEYS[i], token, 'PX', ttl)
    elseif redis.call('PTTL', KEYS[i]) < ttl / 2 then
      redis.call('PEXPIRE', KEYS[i], ttl)
    end
    list[#list + 1] = token
  end
  return list
end
`

/**
 * Counts one change and tells everybody. A counter that was lost, or overwritten by somebody, begins again at a number nobody has seen. A full server lets a script
 * write whose first write needs no memory, so this cannot come first in one.
 */
const announce = `
local function announce(seq, channel, message, ttl, seed)
  local count = redis.pcall('INCR', seq)
  local number = type(count) == 'number' and count > 1 and string.format('%.0f', count)
  if not number then
    redis.call('SET', seq, seed, 'PX', ttl)
    number = seed
  end
  redis.call('PUBLISH', channel, number .. '|' .. message)
  return number
end
`

/**
 * Asks for the right to load a key. KEYS: entry, lease, tokens. ARGV: lease id, lease ms, checksum of the entry that is known to be of no use, nonce, token ttl, the
 * lease that was waited for or nothing. Gives the tokens, and: 1 and the entry if there is another one than that; 2 and the lease if it is ours; 3 and the lease if
 * somebody else has it; 4 if somebody else has the one after a load that kept nothing, which was waited for.
 *
 * A load that kept nothing leaves a mark in the place of its lease. Whoever comes next takes the lease, and the mark with it: it tells the others who waited that there
 * is nothing to wait for, so that they do not go on to wait for one another.
 */
export const acquireScript = defineScript(`${tokensFrom}
local list = tokens(3, ARGV[4], ARGV[5])
local entry = redis.pcall('GET', KEYS[1])
-- What is too short for a checksum is no entry.
if type(entry) == 'string' and #entry >= 14 and (ARGV[3] == '' or string.sub(entry, 11, 14) ~= ARGV[3]) then return {1, entry, list} end
local held = redis.pcall('GET', KEYS[2])
-- What is there without an end is none of ours.
if type(held) == 'string' and held ~= '!' and redis.call('PTTL', KEYS[2]) > 0 then
  if ARGV[6] ~= '' and ARGV[6] ~= held and string.sub(held, -1) == '!' then return {4, '', list} end
  return {3, held, list}
end
local lease = held == '!' and ARGV[1] .. '!' or ARGV[1]
redis.call('SET', KEYS[2], lease, 'PX', ARGV[2])
return {2, lease, list}
`)

/**
 * Takes the lease away from whoever has it: what they load is older than what is going to be stored. With `drop` the entry goes at once, so that it is not left behind
 * should the lease be lost. KEYS: entry, lease, tokens. ARGV: lease id, lease ms, nonce, token ttl, 'drop' or nothing.
 */
export const seizeScript = defineScript(`${tokensFrom}
if ARGV[5] == 'drop' then redis.call('UNLINK', KEYS[1]) end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return tokens(3, ARGV[3], ARGV[4])
`)

/** KEYS: tokens. ARGV: nonce, token ttl. */
export const tokensScript = defineScript(`${tokensFrom}
return tokens(1, ARGV[1], ARGV[2])
`)

/** Stores an entry if the lease is still ours. KEYS: entry, lease. ARGV: lease id, entry, ttl. */
export const commitScript = defineScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('UNLINK', KEYS[2])
return 1
`)

/** As commit, and tells everybody. KEYS: entry, lease, sequence. ARGV: lease id, entry, ttl, channel, message, sequence ttl, seed. */
export const commitAndAnnounceScript = defineScript(`${announce}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('UNLINK', KEYS[2])
return {1, announce(KEYS[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])}
`)

/**
 * Stores an entry that was built on tokens known from before, if they are the current ones and the guard is what it was; takes the lease from whoever has it, and tells everybody.
 * KEYS: entry, lease, sequence, guard, tokens. ARGV: entry, ttl, guard, token ttl, channel, message, sequence ttl, seed, tokens.
 */
export const storeAtOnceScript = defineScript(`${announce}
if redis.pcall('GET', KEYS[4]) ~= ARGV[3] then return 0 end
for i = 5, #KEYS do
  if redis.pcall('GET', KEYS[i]) ~= ARGV[i + 4] then return 0 end
  if redis.call('PTTL', KEYS[i]) < ARGV[4] / 2 then redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('UNLINK', KEYS[2])
return {1, announce(KEYS[3], ARGV[5], ARGV[6], ARGV[7], ARGV[8])}
`)

/** KEYS: lease. ARGV: lease id, lease ms. */
export const renewScript = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
`)

/** Gives a lease back, also one that nobody was told of. KEYS: lease. ARGV: lease id, how long the mark of a load that kept nothing is left, or nothing. */
export const releaseScript = defineScript(`
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] and held ~= ARGV[1] .. '!' then return 0 end
redis.call('UNLINK', KEYS[1])
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], '!', 'PX', ARGV[2]) end
return 1
`)

/** Replaces an entry by the same one with other times. KEYS: entry. ARGV: soft expiry and checksum of the one that was read, entry, ttl. */
export const replaceScript = defineScript(`
local entry = redis.pcall('GET', KEYS[1])
if type(entry) ~= 'string' or string.sub(entry, 5, 14) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`)

/**
 * Drops or expires entries and tokens. What needs no memory comes first, so that it works on a full server too.
 * ARGV from \`first\`: mode, number of entries, nonce, token ttl. KEYS from \`key\`: entry and lease in turn, then tokens.
 */
const drop = `
local function drop(key, first)
  local expires, entries, nonce, ttl = ARGV[first] == 'expire', tonumber(ARGV[first + 1]), ARGV[first + 2], ARGV[first + 3]
  local count = 0
  for i = key, key + 2 * entries - 1, 2 do
    redis.call('UNLINK', KEYS[i + 1])
    if expires then
      local length = redis.pcall('STRLEN', KEYS[i])
      local zeros = string.rep('\\0', ${softExpiryBytes})
      if type(length) ~= 'number' then
        -- What cannot be expired is dropped.
        count = count + redis.call('UNLINK', KEYS[i])
      elseif length > ${softExpiryOffset + softExpiryBytes}
        and redis.call('GETRANGE', KEYS[i], ${softExpiryOffset}, ${softExpiryOffset + softExpiryBytes - 1}) ~= zeros then
        redis.call('SETRANGE', KEYS[i], ${softExpiryOffset}, zeros)
        count = count + 1
      end
    else
      count = count + redis.call('UNLINK', KEYS[i])
    end
  end
  for i = key + 2 * entries, #KEYS do
    local token = expires and redis.pcall('GET', KEYS[i])
    if type(token) == 'string' then
      redis.call('PEXPIRE', KEYS[i], ttl)
      redis.call('SET', KEYS[i], nonce .. '.' .. i .. '<' .. string.match(token, '^[^<]*'), 'PX', ttl)
    else
      redis.call('UNLINK', KEYS[i])
    end
  end
  return count
end
`

/** KEYS: entries and leases, tokens. ARGV: as \`drop\`. */
export const dropScript = defineScript(`${drop}
return drop(1, 1)
`)

/** KEYS: sequence, entries and leases, tokens. ARGV: channel, message, sequence ttl, seed, then as \`drop\`. Gives the count and the number of the change. */
export const dropAndAnnounceScript = defineScript(`${drop}${announce}
local count = drop(2, 5)
return {count, announce(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])}
`)

/** KEYS: sequence. ARGV: channel, message, sequence ttl, seed. */
export const announceScript = defineScript(`${announce}
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return announce(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
`)

/**
 * The number of the last change, the server's time and which run of which server it is. It writes, so that a primary that was demoted refuses it.
 * KEYS: sequence. ARGV: sequence ttl, seed.
 */
export const heartbeatScript = defineScript(`
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local number = redis.pcall('GET', KEYS[1])
if type(number) ~= 'string' or not tonumber(number) then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
  number = ARGV[2]
end
local time = redis.call('TIME')
return {number, time[1], time[2]}
`)

/**
 * Notes which server the entries are on. After a restart or failover, the first to notice drops all of them: invalidations may have been lost with the old
 * server. Without a note and a token there is nothing to drop, and who has begun to load is not disturbed.
 * KEYS: run, namespace token, sequence. ARGV: run, channel, message, sequence ttl, seed.
 */
export const noteRunScript = defineScript(`${announce}
local noted = redis.pcall('GET', KEYS[1])
if noted == ARGV[1] then return 0 end
local isEmpty = redis.call('UNLINK', KEYS[2]) == 0 and noted == false
redis.call('SET', KEYS[1], ARGV[1])
if isEmpty then return 0 end
announce(KEYS[3], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
return 1
`)
