import type { Change } from '../coherence/index.js'
import { forget, type Scope } from '../flight/index.js'
import type { Facts } from '../observe/index.js'
import type { InvalidateResult, Targets } from './target.js'

export type InvalidationMode = Change['mode']

/** Forgets here and wherever else the values are. */
export function invalidate(scope: Scope, targets: Targets, mode: InvalidationMode): Promise<InvalidateResult> {
  const { operations } = scope.shared.events
  if (!operations.wanted) return drop(scope, targets, mode)
  const operation = { name: 'invalidate', namespace: scope.path, facts: { mode, ...factsOf(targets) } } as const
  return operations.run(operation, () => drop(scope, targets, mode), ({ durable }) => ({ durable }))
}

async function drop(scope: Scope, targets: Targets, mode: InvalidationMode): Promise<InvalidateResult> {
  const { shared } = scope
  const change = changeOf(scope, targets, mode)
  const count = forget(shared, change)
  announce(scope, targets, mode)
  if (shared.remote === undefined) return targets.isCounted ? { durable: true, count } : { durable: true }
  const { durable, remoteCount } = await shared.remote.invalidate(change)
  // Again: until Redis had it, a read could still bring the old value in.
  if (shared.mechanisms.forgetAgain) forget(shared, change)
  return targets.isCounted ? { durable, count: Math.max(count, remoteCount) } : { durable }
}

function changeOf(scope: Scope, { keys, tags, rooms, pattern, all }: Targets, mode: InvalidationMode): Change {
  const labels = [...tags.map((tag) => `t${tag}`), ...rooms.map((room) => `r${room}`), ...(all ? ['g'] : [])]
  return { mode, path: scope.path, keys, labels, pattern }
}

function factsOf({ keys, tags, rooms, pattern, all }: Targets): Facts {
  const counts = { key: keys.length, tag: tags.length, room: rooms.length, pattern: pattern === undefined ? 0 : 1, all: all ? 1 : 0 }
  const named = Object.entries(counts).filter(([, count]) => count > 0)
  return { kinds: named.map(([kind]) => kind), targets: named.reduce((sum, [, count]) => sum + count, 0) }
}

function announce(scope: Scope, { keys, tags, rooms, pattern, all }: Targets, mode: InvalidationMode): void {
  const { events } = scope.shared
  const tell = (kind: 'key' | 'tag' | 'room' | 'pattern' | 'all', target?: string) => {
    scope.counters.add('invalidations')
    if (events.invalidate.wanted) events.emit('invalidate', { namespace: scope.path, kind, mode, ...(target === undefined ? undefined : { target }) })
  }
  keys.forEach((key) => tell('key', key))
  tags.forEach((tag) => tell('tag', tag))
  rooms.forEach((room) => tell('room', room))
  if (pattern !== undefined) tell('pattern', pattern)
  if (all) tell('all')
}
