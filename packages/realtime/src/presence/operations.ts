import { type Call, defineOperation, NOW_MS, nowMs } from '../keyspace/operation.js'
import { pairs, texts } from '../keyspace/reply.js'

// Keys of a room, all in one slot: how many sockets each user has there; the processes with sockets there, by when they expire; the sockets of one process with
// their users. Sockets have no times of their own: they live as long as their process renews its one.

/** Arguments that all begin with: the process, its time to live and that of the keys in ms, channel, server, room (nothing: all rooms together). */
const BEGINNING = `${NOW_MS}
local process, ttl, keep, channel, server, room = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local function tell(kind, user)
  local message = {type = kind, userId = user}
  if room ~= '' then message.room = room end
  message['@server'] = server
  redis.call('PUBLISH', channel, cjson.encode(message))
end
local function join(socket, user)
  redis.call('HSET', KEYS[3], socket, user)
  if redis.call('HINCRBY', KEYS[1], user, 1) == 1 then tell(room == '' and 'online' or 'join', user) end
end
local function leave(socket, user)
  redis.call('HDEL', KEYS[3], socket)
  if redis.call('HINCRBY', KEYS[1], user, -1) > 0 then return end
  redis.call('HDEL', KEYS[1], user)
  tell(room == '' and 'offline' or 'leave', user)
end
local function renew()
  if redis.call('EXISTS', KEYS[3]) == 0 then
    redis.call('ZREM', KEYS[2], process)
    return
  end
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + ttl), process)
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], keep) end
end
`

type Keys = readonly [users: string, processes: string, sockets: string]

function beginning(call: Call, keys: readonly string[], args: readonly string[]) {
  const [users = '', processes = '', sockets = ''] = keys as Keys
  const [process = '', ttl, keep, channel = '', server = '', room = '', ...rest] = args
  const now = nowMs(call)
  const tell = (type: string, userId: string) => {
    call('PUBLISH', channel, JSON.stringify({ type, userId, ...(room === '' ? {} : { room }), '@server': server }))
  }
  return {
    users,
    processes,
    sockets,
    rest,
    now,
    join: (socket: string, user: string) => {
      call('HSET', sockets, socket, user)
      if (call('HINCRBY', users, user, 1) === 1) tell(room === '' ? 'online' : 'join', user)
    },
    leave: (socket: string, user: string) => {
      call('HDEL', sockets, socket)
      if (Number(call('HINCRBY', users, user, -1)) > 0) return
      call('HDEL', users, user)
      tell(room === '' ? 'offline' : 'leave', user)
    },
    renew: () => {
      if (call('EXISTS', sockets) === 0) {
        call('ZREM', processes, process)
        return
      }
      call('ZADD', processes, now + Number(ttl), process)
      for (const key of [users, processes, sockets]) call('PEXPIRE', key, Number(keep))
    },
  }
}

/** More arguments: a socket, its user; or a socket only, if it leaves. */
export const setOperation = defineOperation(
  `${BEGINNING}
local socket, user = ARGV[7], ARGV[8]
local before = redis.call('HGET', KEYS[3], socket)
if before == user then
  renew()
  return 0
end
if before then leave(socket, before) end
if user then join(socket, user) end
renew()
return 1`,
  (call, keys, args) => {
    const { sockets, rest, join, leave, renew } = beginning(call, keys, args)
    const [socket = '', user] = rest
    const before = call('HGET', sockets, socket)
    if (before === user) {
      renew()
      return 0
    }
    if (before !== null) leave(socket, String(before))
    if (user !== undefined) join(socket, user)
    renew()
    return 1
  },
)

/** More arguments: all sockets of the process in the room, each with its user. What it had and has not any more leaves. */
export const declareOperation = defineOperation(
  `${BEGINNING}
local wanted = {}
for i = 7, #ARGV, 2 do wanted[ARGV[i]] = ARGV[i + 1] end
local had = redis.call('HGETALL', KEYS[3])
for i = 1, #had, 2 do
  if wanted[had[i]] == had[i + 1] then wanted[had[i]] = nil else leave(had[i], had[i + 1]) end
end
for i = 7, #ARGV, 2 do
  if wanted[ARGV[i]] then join(ARGV[i], ARGV[i + 1]) end
end
renew()
return 1`,
  (call, keys, args) => {
    const { sockets, rest, join, leave, renew } = beginning(call, keys, args)
    const wanted = new Map(pairs([...rest]))
    for (const [socket, user] of pairs(call('HGETALL', sockets))) {
      if (wanted.get(socket) === user) wanted.delete(socket)
      else leave(socket, user)
    }
    for (const [socket, user] of wanted) join(socket, user)
    renew()
    return 1
  },
)

/** One more argument: how many sockets of the process are in the room. First whether Redis has as many, then the processes whose time is over. */
export const renewOperation = defineOperation(
  `${BEGINNING}
local isKnown = redis.call('ZSCORE', KEYS[2], process) and redis.call('HLEN', KEYS[3]) == tonumber(ARGV[7])
if isKnown then renew() end
local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', '0', '100')
table.insert(dead, 1, isKnown and '1' or '0')
return dead`,
  (call, keys, args) => {
    const { processes, sockets, rest, now, renew } = beginning(call, keys, args)
    const isKnown = call('ZSCORE', processes, args[0] ?? '') !== null && call('HLEN', sockets) === Number(rest[0])
    if (isKnown) renew()
    return [isKnown ? '1' : '0', ...texts(call('ZRANGEBYSCORE', processes, '-inf', now, 'LIMIT', 0, 100))]
  },
)

/**
 * The process is one whose time is over: all its sockets leave. Of those who try at once one does it. One more argument: so much of its time, in ms, may be left, for
 * when it is known to be over elsewhere.
 */
export const buryOperation = defineOperation(
  `${BEGINNING}
local at = redis.call('ZSCORE', KEYS[2], process)
if at and tonumber(at) > now + tonumber(ARGV[7]) then return 0 end
local had = redis.call('HGETALL', KEYS[3])
for i = 1, #had, 2 do leave(had[i], had[i + 1]) end
redis.call('ZREM', KEYS[2], process)
return #had / 2`,
  (call, keys, args) => {
    const { processes, sockets, rest, now, leave } = beginning(call, keys, args)
    const at = call('ZSCORE', processes, args[0] ?? '')
    if (at !== null && Number(at) > now + Number(rest[0])) return 0
    const had = pairs(call('HGETALL', sockets))
    for (const [socket, user] of had) leave(socket, user)
    call('ZREM', processes, args[0] ?? '')
    return had.length
  },
)

/** Keys: users, processes. Argument: a user, or nothing for all of them. Processes whose time is over, if there are any; else the users. */
export const lookOperation = defineOperation(
  `${NOW_MS}
local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', '0', '100')
if #dead > 0 then return {'dead', dead} end
if ARGV[1] ~= '' then return {'users', redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 and {ARGV[1]} or {}} end
return {'users', redis.call('HKEYS', KEYS[1])}`,
  (call, [users = '', processes = ''], [user = '']) => {
    const dead = call('ZRANGEBYSCORE', processes, '-inf', nowMs(call), 'LIMIT', 0, 100) as string[]
    if (dead.length > 0) return ['dead', dead]
    if (user !== '') return ['users', call('HEXISTS', users, user) === 1 ? [user] : []]
    return ['users', call('HKEYS', users)]
  },
)
