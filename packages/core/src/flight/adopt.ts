import { stateOf, TokenState, type Fence, type Token, type TokenRegistry } from '../coherence/index.js'
import { Entry } from '../memory/index.js'
import type { Policy } from '../options/index.js'
import type { Decoded, TokenRead, Usable } from '../redis/index.js'
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

  const lateIds = idsBeyond(fence.tokens, found.tokens)
  const isCurrent = fence.holds && !lateIds.some((id) => changes.changedSince(id, fence.openedAt))
  // Only if nothing changed: what was read before a change must not be taken for what Redis has now.
  if (!policy.memory || shared.closed || !isCurrent) return { value, lateIds, isFromRedis: true, staleAt, stale: undefined }

  const held = holdAll(tokens, fence.tokens, found.tokens)
  const deadAt = remote.clock.monotonic(header.expiresAt)
  const entry = new Entry(value, staleAt, deadAt, Math.floor(fence.openedTime), header.ttl, held, header.etag)
  // Learning its tokens may have shown that we missed something.
  const isKept = fence.holds && stateOf(held) !== TokenState.Dead && memory.set(location, entry, header.entry.length)
  if (!isKept) tokens.release(held)
  return { value, lateIds, isFromRedis: true, staleAt, stale: isKept && found.state === 'stale' ? entry : undefined }
}

/** Labels that only the entry names. */
function idsBeyond(known: readonly Token[], read: readonly TokenRead[]): readonly string[] {
  let beyond: string[] | undefined
  for (const { id } of read) if (!known.some((token) => token.id === id)) (beyond ??= []).push(id)
  return beyond ?? NONE
}

const NONE: readonly string[] = []

function holdAll(registry: TokenRegistry, known: readonly Token[], read: readonly TokenRead[]): readonly Token[] {
  // Nearly always the entry depends on just what the call does, and here the same tokens are known: entries then share the list of them.
  if (known.length === read.length && known.every((token, i) => token.id === read[i]?.id && token.value === read[i]?.written)) {
    registry.holdAgain(known)
    return known
  }
  return read.map(({ id, carried, written }) =>
    written === carried || written.startsWith(`${carried}<`) ? registry.holdLearned(id, written) : registry.holdExpired(id, written),
  )
}
