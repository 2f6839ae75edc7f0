import type { Address } from './address.js'
import type { Reply } from './reply.js'

export interface ClusterNode extends Address {
  /** The node's id in the cluster, or where it listens when it does not tell. */
  readonly id: string
}

export interface SlotRange {
  readonly first: number
  readonly last: number
  readonly master: ClusterNode
}

/**
 * Reads the reply to CLUSTER SLOTS: which master serves which slots; replicas are left out.
 *
 * A node that does not know how it is reached gives an empty or unknown name: then it is the host that was asked.
 *
 * @see https://redis.io/docs/latest/commands/cluster-slots/
 */
export function readSlots(reply: Reply, asked: Address): SlotRange[] {
  if (!Array.isArray(reply)) return []
  const ranges: SlotRange[] = []
  for (const range of reply) {
    if (!Array.isArray(range)) continue
    const [first, last, master] = range
    if (typeof first !== 'number' || typeof last !== 'number' || !Array.isArray(master)) continue
    const [name, port, id] = master
    if (typeof port !== 'number') continue
    const told = textOf(name)
    const host = told === '' || told === '?' ? asked.host : told
    ranges.push({ first, last, master: { host, port, id: textOf(id) || `${host}:${port}` } })
  }
  return ranges
}

function textOf(reply: Reply | undefined): string {
  return reply === null || reply === undefined ? '' : String(reply)
}
