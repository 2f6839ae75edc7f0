import { stateOf, TokenState, type Fence, type Token } from '../coherence/index.js'
import { Entry } from '../memory/index.js'
import type { Policy } from '../options/index.js'
import { idInEntry, type Usable } from '../redis/index.js'
import type { Landing } from './flight.js'
import type { Scope } from './scope.js'

export interface Sought {
  readonly scope: Scope
  readonly location: string
  readonly policy: Policy
}

/** A value that came from Redis. */
export interface Adopted extends Landing {
  /** When it stops being fresh. */
  readonly staleAt: number
  /** If it is stale: the entry, as long as memory keeps it. */
  readonly stale: Entry | undefined
}

/**
 * Takes a value from Redis into memory, unless something invalidated it since the fence was opened. Resolves to `undefined` when the value turns out to be damaged.
 */
export async function adopt({ scope, location, policy }: Sought, fence: Fence, found: Usable): Promise<Adopted | undefined> {
  const { shared } = scope
  const { remote, tokens, changes, memory } = shared
  if (remote === undefined) return undefined
  const decoding = remote.entries.decode(found)
  const decoded = decoding instanceof Promise ? await decoding : decoding
  if (decoded.corrupt !== undefined) {
    shared.countCorrupt(decoded.corrupt)
    return undefined
  }
  const { header } = found
  const staleAt = header.softExpiresAt === 0 ? 0 : remote.clock.monotonic(header.softExpiresAt)
  const early = new Set(fence.tokens.map(({ id }) => id))
  const lateIds = [...found.tokens.keys()].filter((id) => !early.has(id))
  const isCurrent = fence.holds && !lateIds.some((id) => changes.changedSince(id, fence.openedAt))
  // Only if nothing changed: what was read before a change must not be taken for what Redis has now.
  if (!policy.memory || shared.closed || !isCurrent) return { value: decoded.value, lateIds, isFromRedis: true, staleAt, stale: undefined }

  const held = [...header.tags].map(([name, token]) => hold(scope, idInEntry(scope.path, name) ?? '', token, found.tokens))
  const deadAt = remote.clock.monotonic(header.expiresAt)
  const entry = new Entry(decoded.value, staleAt, deadAt, Math.floor(fence.openedTime), header.ttl, held, header.etag)
  // Learning its tokens may have shown that we missed something.
  const isKept = fence.holds && stateOf(held) !== TokenState.Dead && memory.set(location, entry, header.entry.length)
  if (!isKept) tokens.release(held)
  return { value: decoded.value, lateIds, isFromRedis: true, staleAt, stale: isKept && found.state === 'stale' ? entry : undefined }
}

function hold({ shared: { tokens } }: Scope, id: string, token: string, known: ReadonlyMap<string, string>): Token {
  const written = known.get(id) ?? ''
  return written === token || written.startsWith(`${token}<`) ? tokens.holdLearned(id, written) : tokens.holdExpired(id, written)
}
