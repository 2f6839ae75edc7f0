import { flag, integer, notANumber, refused, type Commands } from './commands.js'

export const hashCommands: Commands = {
  HSET: (store, [key = '', ...fields]) => {
    if (fields.length === 0 || fields.length % 2 === 1) throw refused('wrong number of arguments')
    const hash = store.open('hash', key, () => new Map())
    const before = hash.size
    for (let at = 0; at < fields.length; at += 2) hash.set(fields[at] ?? '', fields[at + 1] ?? '')
    return hash.size - before
  },
  HGET: (store, [key = '', field = '']) => store.find('hash', key)?.get(field) ?? null,
  HGETALL: (store, [key = '']) => [...(store.find('hash', key) ?? [])].flat(),
  HDEL: (store, [key = '', ...fields]) => {
    const hash = store.find('hash', key)
    if (hash === undefined) return 0
    const removed = fields.reduce((count, field) => count + flag(hash.delete(field)), 0)
    store.removeIfEmpty(key, hash.size)
    return removed
  },
  HEXISTS: (store, [key = '', field = '']) => flag(store.find('hash', key)?.has(field) ?? false),
  HKEYS: (store, [key = '']) => [...(store.find('hash', key)?.keys() ?? [])],
  HLEN: (store, [key = '']) => store.find('hash', key)?.size ?? 0,
  HINCRBY: (store, [key = '', field = '', by]) => {
    const sum = integer(store.find('hash', key)?.get(field) ?? '0') + integer(by)
    if (!Number.isSafeInteger(sum)) throw notANumber()
    store.open('hash', key, () => new Map()).set(field, String(sum))
    return sum
  },
}
