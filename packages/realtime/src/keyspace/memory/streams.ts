import type { Value } from '../keyspace.js'
import { integer, refused, type Commands } from './commands.js'
import type { Store } from './store.js'

type Id = readonly [ms: number, number: number]

interface Item {
  readonly id: Id
  readonly fields: readonly string[]
}

interface Group {
  /** The last that was given to anybody. */
  last: Id
  readonly pending: Map<string, { givenAt: number }>
}

export interface Stream {
  items: Item[]
  last: Id
  readonly groups: Map<string, Group>
}

const compare = (a: Id, b: Id) => a[0] - b[0] || a[1] - b[1]
const name = (id: Id) => `${id[0]}-${id[1]}`
const shown = ({ id, fields }: Item): Value => [name(id), [...fields]]

function parse(text: string | undefined): Id {
  const [ms, number = '0'] = (text ?? '').split('-')
  return [integer(ms), integer(number)]
}

const make = (): Stream => ({ items: [], last: [0, 0], groups: new Map() })

function groupOf(store: Store, key: string, group: string | undefined): { readonly stream: Stream; readonly group: Group } {
  const stream = store.find('stream', key)
  const found = stream?.groups.get(group ?? '')
  if (stream === undefined || found === undefined) throw refused('There is no such stream or group')
  return { stream, group: found }
}

/** As much of streams as queues need, in the form they use it. Unlike other collections an empty one stays. */
export const streamCommands: Commands = {
  XADD: (store, [key = '', id, ...fields]) => {
    if (id !== '*' || fields.length === 0 || fields.length % 2 === 1) throw refused('syntax error')
    const stream = store.open('stream', key, make)
    const now = Math.floor(store.now())
    const next: Id = now > stream.last[0] ? [now, 0] : [stream.last[0], stream.last[1] + 1]
    stream.last = next
    stream.items.push({ id: next, fields })
    return name(next)
  },
  XLEN: (store, [key = '']) => store.find('stream', key)?.items.length ?? 0,
  XRANGE: (store, [key = '']) => store.find('stream', key)?.items.map(shown) ?? [],
  XTRIM: (store, [key = '', how, limit]) => {
    const stream = store.find('stream', key)
    if (how?.toUpperCase() !== 'MINID') throw refused('syntax error')
    if (stream === undefined) return 0
    const least = parse(limit)
    const before = stream.items.length
    stream.items = stream.items.filter(({ id }) => compare(id, least) >= 0)
    return before - stream.items.length
  },
  XDEL: (store, [key = '', ...ids]) => {
    const stream = store.find('stream', key)
    if (stream === undefined) return 0
    const gone = new Set(ids)
    const before = stream.items.length
    stream.items = stream.items.filter(({ id }) => !gone.has(name(id)))
    return before - stream.items.length
  },
  XGROUP: (store, [what, key = '', group = '', from]) => {
    const stream = store.find('stream', key)
    if (what?.toUpperCase() !== 'CREATE' || stream === undefined) throw refused('syntax error')
    if (stream.groups.has(group)) throw refused('The group exists')
    stream.groups.set(group, { last: parse(from), pending: new Map() })
    return 'OK'
  },
  XREADGROUP: (store, [, group, , , count, , key = '']) => {
    const found = groupOf(store, key, group)
    const next = found.stream.items.filter(({ id }) => compare(id, found.group.last) > 0).slice(0, integer(count))
    if (next.length === 0) return null
    for (const { id } of next) {
      found.group.last = id
      found.group.pending.set(name(id), { givenAt: store.now() })
    }
    return [[key, next.map(shown)]]
  },
  XAUTOCLAIM: (store, [key = '', group, , idle, , , count]) => {
    const { stream, group: found } = groupOf(store, key, group)
    const items = new Map(stream.items.map((item) => [name(item.id), item]))
    const claimed: Item[] = []
    for (const [id, pending] of found.pending) {
      const item = items.get(id)
      if (item === undefined) found.pending.delete(id)
      else if (store.now() - pending.givenAt >= integer(idle) && claimed.length < integer(count)) {
        pending.givenAt = store.now()
        claimed.push(item)
      }
    }
    return ['0-0', claimed.map(shown), []]
  },
  XACK: (store, [key = '', group, ...ids]) => {
    const pending = store.find('stream', key)?.groups.get(group ?? '')?.pending
    return ids.filter((id) => pending?.delete(id)).length
  },
}
