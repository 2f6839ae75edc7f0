import { flag, integer, notANumber, range, type Commands } from './commands.js'

type Scored = readonly [member: string, score: number]

function sorted(set: ReadonlyMap<string, number> | undefined): Scored[] {
  return [...(set ?? [])].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
}

/** `5`, `(5` for what is beyond it, `-inf`, `+inf`. */
function bound(text: string | undefined): { readonly score: number; readonly isOpen: boolean } {
  const isOpen = text?.startsWith('(') ?? false
  return { score: score(isOpen ? text?.slice(1) : text), isOpen }
}

function score(text: string | undefined): number {
  if (text === '-inf') return Number.NEGATIVE_INFINITY
  if (text === '+inf' || text === 'inf') return Number.POSITIVE_INFINITY
  const number = Number(text)
  if (text === undefined || text.trim() === '' || Number.isNaN(number)) throw notANumber()
  return number
}

function between(min: string | undefined, max: string | undefined): (scored: Scored) => boolean {
  const [low, high] = [bound(min), bound(max)]
  return ([, at]) => (low.isOpen ? at > low.score : at >= low.score) && (high.isOpen ? at < high.score : at <= high.score)
}

export const sortedSetCommands: Commands = {
  ZADD: (store, [key = '', ...rest]) => {
    const onlyNew = rest[0]?.toUpperCase() === 'NX'
    const scored = onlyNew ? rest.slice(1) : rest
    const scores = scored.flatMap((text, at) => (at % 2 === 0 ? [score(text)] : []))
    const set = store.open('zset', key, () => new Map())
    const before = set.size
    for (const [at, number] of scores.entries()) {
      const member = scored[2 * at + 1] ?? ''
      if (!onlyNew || !set.has(member)) set.set(member, number)
    }
    return set.size - before
  },
  ZREM: (store, [key = '', ...members]) => {
    const set = store.find('zset', key)
    if (set === undefined) return 0
    const removed = members.reduce((count, member) => count + flag(set.delete(member)), 0)
    store.removeIfEmpty(key, set.size)
    return removed
  },
  ZSCORE: (store, [key = '', member = '']) => {
    const found = store.find('zset', key)?.get(member)
    return found === undefined ? null : String(found)
  },
  ZCARD: (store, [key = '']) => store.find('zset', key)?.size ?? 0,
  ZRANGE: (store, [key = '', first, last]) => range(sorted(store.find('zset', key)), first, last).map(([member]) => member),
  ZRANGEBYSCORE: (store, [key = '', min, max, limit, offset, count]) => {
    const found = sorted(store.find('zset', key)).filter(between(min, max)).map(([member]) => member)
    if (limit === undefined) return found
    const from = integer(offset)
    return integer(count) < 0 ? found.slice(from) : found.slice(from, from + integer(count))
  },
  ZREMRANGEBYSCORE: (store, [key = '', min, max]) => {
    const set = store.find('zset', key)
    if (set === undefined) return 0
    const gone = [...set].filter(between(min, max))
    for (const [member] of gone) set.delete(member)
    store.removeIfEmpty(key, set.size)
    return gone.length
  },
}
