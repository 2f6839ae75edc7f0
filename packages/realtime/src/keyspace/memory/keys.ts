import { flag, integer, notANumber, refused, type Commands } from './commands.js'
import type { Store } from './store.js'

const remove = (store: Store, keys: readonly string[]) => keys.reduce((count, key) => count + flag(store.remove(key)), 0)

/** A time that has passed removes the key, as in Redis. */
function expire(store: Store, key: string, ms: number): number {
  if (ms > 0) return flag(store.expireAt(key, store.now() + ms))
  return flag(store.remove(key))
}

/** -1 without a time, -2 without the key. */
function timeLeft(store: Store, key: string): number {
  const at = store.expiry(key)
  if (at === undefined) return -2
  return at === Number.POSITIVE_INFINITY ? -1 : Math.max(0, at - store.now())
}

export const keyCommands: Commands = {
  DEL: remove,
  UNLINK: remove,
  EXISTS: (store, keys) => keys.reduce((count, key) => count + flag(store.has(key)), 0),
  EXPIRE: (store, [key = '', seconds]) => expire(store, key, integer(seconds) * 1000),
  PEXPIRE: (store, [key = '', ms]) => expire(store, key, integer(ms)),
  PERSIST: (store, [key = '']) => {
    const at = store.expiry(key)
    return flag(at !== undefined && at !== Number.POSITIVE_INFINITY && store.expireAt(key, Number.POSITIVE_INFINITY))
  },
  PTTL: (store, [key = '']) => Math.round(timeLeft(store, key)),
  TTL: (store, [key = '']) => {
    const left = timeLeft(store, key)
    return left < 0 ? left : Math.round(left / 1000)
  },
  TIME: (store) => {
    const now = store.now()
    return [String(Math.floor(now / 1000)), String(Math.floor((now % 1000) * 1000))]
  },
  PING: () => 'PONG',
}

interface SetOptions {
  readonly expiresAt: number | undefined
  readonly keepsTime: boolean
  readonly only: 'NX' | 'XX' | undefined
}

function setOptions(store: Store, options: readonly string[]): SetOptions {
  let expiresAt: number | undefined
  let keepsTime = false
  let only: SetOptions['only']
  for (let at = 0; at < options.length; at++) {
    const option = options[at]?.toUpperCase()
    if (option === 'EX' || option === 'PX') {
      const ms = integer(options[++at]) * (option === 'EX' ? 1000 : 1)
      if (ms <= 0) throw refused('invalid expire time in SET')
      expiresAt = store.now() + ms
    } else if (option === 'KEEPTTL') keepsTime = true
    else if (option === 'NX' || option === 'XX') only = option
    else throw refused('syntax error')
  }
  return { expiresAt, keepsTime, only }
}

function increase(store: Store, key: string, by: number): number {
  const held = store.find('string', key)
  const sum = integer(held?.text ?? '0') + by
  if (!Number.isSafeInteger(sum)) throw notANumber()
  if (held === undefined) store.put('string', key, { text: String(sum) })
  else held.text = String(sum)
  return sum
}

export const stringCommands: Commands = {
  GET: (store, [key = '']) => store.find('string', key)?.text ?? null,
  SET: (store, [key = '', value = '', ...rest]) => {
    const { expiresAt, keepsTime, only } = setOptions(store, rest)
    const kept = store.expiry(key)
    if (only !== undefined && (kept !== undefined) !== (only === 'XX')) return null
    store.put('string', key, { text: value }, expiresAt ?? (keepsTime ? kept : undefined))
    return 'OK'
  },
  INCR: (store, [key = '']) => increase(store, key, 1),
  DECR: (store, [key = '']) => increase(store, key, -1),
  INCRBY: (store, [key = '', by]) => increase(store, key, integer(by)),
}
