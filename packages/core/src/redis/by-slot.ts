import { slotOf } from './clients/index.js'
import type { RedisConnection } from './clients/index.js'

/** How the server a connection leads to divides its keys. A standalone one does not. */
export function slotsOf({ kind }: RedisConnection): (key: string) => number {
  return kind === 'cluster' ? slotOf : () => 0
}

export function groupBySlot<T>(items: Iterable<T>, keyOf: (item: T) => string, slot: (key: string) => number): T[][] {
  const groups = new Map<number, T[]>()
  for (const item of items) {
    const at = slot(keyOf(item))
    const group = groups.get(at)
    if (group === undefined) groups.set(at, [item])
    else group.push(item)
  }
  return [...groups.values()]
}
