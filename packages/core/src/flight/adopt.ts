import { stateOf, TokenState, type Fence, type Token } from '../coherence/index.js'
import { Entry } from '../memory/index.js'
import type { Policy } from '../options/index.js'
import { idInEntry, type Decoded, type Usable } from '../redis/index.js'
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
 * Takes a value from Redis into memory, unless something invalidated it since the fence was opened; without a fence it is only decoded. Gives `undefined` when the value
 * turns out to be damaged, and a promise only when it has to be decompressed.
 */
export function adopt(sought: Sought, fence: Fence | undefined, found: Usable): Adopted | undefined | Promise<Adopted | undefined> {
  const decoding = sought.scope.shared.remote?.entries.decode(found)
  return decoding instanceof Promise ? decoding.then((decoded) => keepDecoded(sought, fence, found, decoded)) : keepDecoded(sought, fence, found, decoding)
}

function keepDecoded({ scope, location, policy }: Sought, fence: Fence | undefined, found: Usable, decoded: Decoded | undefined): Adopted | undefined {
  const { shared } = scope
  const { remote, tokens, changes, memory } = shared
  if (remote === undefined || decoded === undefined) return undefined
  if (decoded.corrupt !== undefined) {
    shared.countCorrupt(decoded.corrupt)
    return undefined
  }
  const { value } = decoded
  const { header } = found
  const staleAt = header.softExpiresAt === 0 ? 0 : remote.clock.monotonic(header.softExpiresAt)
  if (fence === undefined) return { value, lateIds: [], isFromRedis: true, staleAt, stale: undefined }

  const lateIds = [...found.tokens.keys()].filter((id) => !fence.tokens.some((token) => token.id === id))
  const isCurrent = fence.holds && !lateIds.some((id) => changes.changedSince(id, fence.openedAt))
  // Only if nothing changed: what was read before a change must not be taken for what Redis has now.
  if (!policy.memory || shared.closed || !isCurrent) return { value, lateIds, isFromRedis: true, staleAt, stale: undefined }

  const held = [...header.tags].map(([name, token]) => hold(scope, idInEntry(scope.path, name) ?? '', token, found.tokens))
  const deadAt = remote.clock.monotonic(header.expiresAt)
  const entry = new Entry(value, staleAt, deadAt, Math.floor(fence.openedTime), header.ttl, held, header.etag)
  // Learning its tokens may have shown that we missed something.
  const isKept = fence.holds && stateOf(held) !== TokenState.Dead && memory.set(location, entry, header.entry.length)
  if (!isKept) tokens.release(held)
  return { value, lateIds, isFromRedis: true, staleAt, stale: isKept && found.state === 'stale' ? entry : undefined }
}

function hold({ shared: { tokens } }: Scope, id: string, token: string, known: ReadonlyMap<string, string>): Token {
  const written = known.get(id) ?? ''
  return written === token || written.startsWith(`${token}<`) ? tokens.holdLearned(id, written) : tokens.holdExpired(id, written)
}
