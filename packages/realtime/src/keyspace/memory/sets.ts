import { flag, type Commands } from './commands.js'

export const setCommands: Commands = {
  SADD: (store, [key = '', ...members]) => {
    const set = store.open('set', key, () => new Set())
    const before = set.size
    for (const member of members) set.add(member)
    return set.size - before
  },
  SREM: (store, [key = '', ...members]) => {
    const set = store.find('set', key)
    if (set === undefined) return 0
    const removed = members.reduce((count, member) => count + flag(set.delete(member)), 0)
    store.removeIfEmpty(key, set.size)
    return removed
  },
  SMEMBERS: (store, [key = '']) => [...(store.find('set', key) ?? [])],
  SISMEMBER: (store, [key = '', member = '']) => flag(store.find('set', key)?.has(member) ?? false),
  SCARD: (store, [key = '']) => store.find('set', key)?.size ?? 0,
}
