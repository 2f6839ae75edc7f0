import { globMatcher, type Change } from '../coherence/index.js'
import type { Shared } from './shared.js'

/**
 * Makes this process forget, at once: entries, loads under way, and the tokens that others would be built on. `expire` leaves the old values for grace.
 *
 * @returns How many values of keys and patterns were there to drop.
 */
export function forget(shared: Shared, change: Change): number {
  const { path, mode, keys, labels, pattern } = change
  let count = 0
  for (const key of keys) {
    const location = shared.locations.locate(shared.locations.prefixOf(path), key)
    shared.fences.breakKey(location)
    if (dropEntry(shared, location, mode)) count++
  }
  for (const label of labels) forgetToken(shared, `${path}\0${label}`, mode)
  if (pattern !== undefined) count += forgetMatching(shared, path, pattern, mode)
  releaseDetached(shared)
  return count
}

/** Nobody has to wait for a load whose value is not going to be kept. */
export function releaseDetached({ flights, remote }: Shared): void {
  for (const flight of flights.all()) {
    if (flight.lease === undefined || flight.fence.holds) continue
    remote?.release(flight.lease)
    flight.lease = undefined
  }
}

/** Forgets everything: what was missed could have been about any of it. */
export function flush(shared: Shared): void {
  shared.fences.breakWhere(() => true)
  shared.memory.clear()
  shared.changes.forgetAll()
  shared.flushes++
}

function forgetToken({ tokens, changes, memory, settings }: Shared, id: string, mode: Change['mode']): void {
  if (mode === 'expire') tokens.expire(id)
  else tokens.invalidate(id)
  changes.record(id)
  // Of the whole cache nothing is left to keep, so its memory is given back now and not as others push it out.
  if (mode === 'invalidate' && id === `${settings.name}\0g`) memory.clear()
}

function forgetMatching(shared: Shared, path: string, pattern: string, mode: Change['mode']): number {
  const matches = globMatcher(pattern)
  const prefix = shared.locations.prefixOf(path)
  const isMatch = (location: string) => {
    const key = shared.locations.keyAt(prefix, location)
    return key !== undefined && matches(key)
  }
  shared.fences.breakWhere(isMatch)
  let count = 0
  for (const location of [...shared.memory.keys()].filter(isMatch)) if (dropEntry(shared, location, mode)) count++
  return count
}

/** Returns whether there was a value that could still have been served. */
function dropEntry({ memory }: Shared, location: string, mode: Change['mode']): boolean {
  const entry = memory.peek(location)
  if (entry === undefined) return false
  const wasUsable = entry.isUsable(performance.now())
  if (mode === 'expire') {
    entry.expire()
  } else {
    memory.delete(location)
  }
  return wasUsable
}
