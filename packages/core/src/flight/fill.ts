import type { Token } from '../coherence/index.js'
import { UncacheableValueError } from '../errors/index.js'
import { Entry } from '../memory/index.js'
import type { Policy } from '../options/index.js'
import { copyOf } from './copy.js'
import type { Scope } from './scope.js'

/** A value on its way into the memory. */
export interface Fill {
  readonly location: string
  readonly key: string
  readonly value: unknown
  /** What `survey` estimated. */
  readonly bytes: number
  readonly ttl: number
  /** How long it is fresh: the TTL, less what jitter takes. */
  readonly freshMs: number
  readonly grace: number
  readonly etag: string | undefined
  /** When the load that gave the value began. */
  readonly loadedAt: number
  /** Held for the entry by the caller, who lets them go again when this throws. */
  readonly tokens: readonly Token[]
}

/**
 * Keeps a value. The caller has made sure that no invalidation came in between.
 *
 * @throws {UncacheableValueError}
 */
export function fill(scope: Scope, { location, key, value, bytes, ttl, freshMs, grace, etag, loadedAt, tokens }: Fill): void {
  const { shared } = scope
  const kept = shared.settings.clone ? copyOf(value) : value
  // Whole milliseconds are small integers to V8; fractions would cost a heap object each.
  const staleAt = Math.floor(performance.now() + freshMs)
  const entry = new Entry(kept, staleAt, staleAt + grace, Math.floor(loadedAt), ttl, tokens, etag)
  if (!shared.memory.set(location, entry, bytes)) {
    throw new UncacheableValueError('too-large', `The value is larger than all of the memory: memory.maxBytes is ${shared.memory.bounds.maxBytes}`)
  }
  scope.counters.add('sets')
  if (shared.events.set.wanted) shared.events.emit('set', { namespace: scope.path, key, ttlMs: ttl })
}

/** A TTL, less what jitter takes of it this time. */
export function jittered({ jitterPart, jitterMs }: Policy, ttl: number): number {
  const most = Math.min(jitterPart * ttl + jitterMs, ttl)
  return most === 0 ? ttl : Math.floor(ttl - Math.random() * most)
}
