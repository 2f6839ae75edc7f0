import { globMatcher } from '../coherence/index.js'
import type { Scope } from '../flight/index.js'
import type { Targets } from './target.js'

export type InvalidationMode = 'invalidate' | 'expire'

/**
 * Makes this process forget, at once: entries, loads under way, and the tokens that others would be built on.
 * `expire` leaves the old values for grace.
 *
 * @returns How many values of keys and patterns were there to drop; `undefined` when only tags, rooms or all were named.
 */
export function invalidateLocally(scope: Scope, { keys, tags, rooms, pattern, all }: Targets, mode: InvalidationMode): number | undefined {
  let count: number | undefined
  const matches = pattern === undefined ? undefined : globMatcher(pattern)
  for (const key of keys) {
    count = (count ?? 0) + invalidateKey(scope, key, mode)
    announce(scope, 'key', key, mode)
  }
  for (const tag of tags) {
    invalidateToken(scope, scope.tagId(tag), mode)
    announce(scope, 'tag', tag, mode)
  }
  for (const room of rooms) {
    invalidateToken(scope, scope.roomId(room), mode)
    announce(scope, 'room', room, mode)
  }
  if (matches !== undefined) {
    count = (count ?? 0) + invalidateMatching(scope, matches, mode)
    announce(scope, 'pattern', pattern, mode)
  }
  if (all) {
    invalidateToken(scope, scope.namespaceId, mode)
    // Of the whole cache nothing is left to keep, so its memory is given back now and not as others push it out.
    if (scope.parent === undefined && mode === 'invalidate') scope.shared.memory.clear()
    announce(scope, 'all', undefined, mode)
  }
  return count
}

function invalidateKey(scope: Scope, key: string, mode: InvalidationMode): number {
  const location = scope.locate(key)
  scope.shared.fences.breakKey(location)
  return dropEntry(scope, location, mode) ? 1 : 0
}

function invalidateMatching(scope: Scope, matches: (key: string) => boolean, mode: InvalidationMode): number {
  const { memory, fences } = scope.shared
  const isMatch = (location: string) => {
    const key = scope.keyAt(location)
    return key !== undefined && matches(key)
  }
  fences.breakWhere(isMatch)
  let count = 0
  for (const location of [...memory.keys()].filter(isMatch)) if (dropEntry(scope, location, mode)) count++
  return count
}

function invalidateToken({ shared: { tokens, changes } }: Scope, id: string, mode: InvalidationMode): void {
  if (mode === 'expire') tokens.expire(id)
  else tokens.invalidate(id)
  changes.record(id)
}

/** Returns whether there was a value that could still have been served. */
function dropEntry({ shared: { memory, mechanisms } }: Scope, location: string, mode: InvalidationMode): boolean {
  const entry = memory.peek(location)
  if (entry === undefined) return false
  const wasUsable = entry.isUsable(performance.now())
  if (mode === 'expire') {
    entry.expire()
  } else {
    // Killed and not only removed: a call that waits for a load holds it, to serve should the load fail.
    if (mechanisms.kill) entry.kill()
    memory.delete(location)
  }
  return wasUsable
}

function announce(scope: Scope, kind: 'key' | 'tag' | 'room' | 'pattern' | 'all', target: string | undefined, mode: InvalidationMode): void {
  scope.counters.add('invalidations')
  const { invalidate } = scope.shared.events
  if (invalidate.wanted) scope.shared.events.emit('invalidate', { namespace: scope.path, kind, mode, ...(target === undefined ? undefined : { target }) })
}
