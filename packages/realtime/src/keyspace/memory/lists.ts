import { integer, range, type Commands } from './commands.js'
import type { Store } from './store.js'

function take(store: Store, key: string, count: string | undefined, from: 'first' | 'last') {
  const list = store.find('list', key)
  if (list === undefined) return null
  const most = count === undefined ? 1 : integer(count)
  const taken = from === 'first' ? list.splice(0, most) : list.splice(Math.max(0, list.length - most), most).toReversed()
  store.removeIfEmpty(key, list.length)
  return count === undefined ? (taken[0] ?? null) : taken
}

export const listCommands: Commands = {
  RPUSH: (store, [key = '', ...items]) => store.open('list', key, () => []).push(...items),
  LPUSH: (store, [key = '', ...items]) => store.open('list', key, () => []).unshift(...items.toReversed()),
  LPOP: (store, [key = '', count]) => take(store, key, count, 'first'),
  RPOP: (store, [key = '', count]) => take(store, key, count, 'last'),
  LLEN: (store, [key = '']) => store.find('list', key)?.length ?? 0,
  LRANGE: (store, [key = '', first, last]) => range(store.find('list', key) ?? [], first, last),
  LTRIM: (store, [key = '', first, last]) => {
    const list = store.find('list', key)
    if (list === undefined) return 'OK'
    const kept = range(list, first, last)
    list.splice(0, list.length, ...kept)
    store.removeIfEmpty(key, list.length)
    return 'OK'
  },
  LREM: (store, [key = '', count, item]) => {
    const list = store.find('list', key)
    if (list === undefined) return 0
    const most = integer(count)
    const at = list.flatMap((each, index) => (each === item ? [index] : []))
    const chosen = most === 0 ? at : most > 0 ? at.slice(0, most) : at.slice(most)
    for (const index of chosen.toReversed()) list.splice(index, 1)
    store.removeIfEmpty(key, list.length)
    return chosen.length
  },
}
