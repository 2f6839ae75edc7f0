import { valueOf, type HeaderList } from '../fields/header-list.js'
import { parseStrings } from '../fields/structured.js'
import type { Settings } from '../settings.js'
import { toFrame } from './frame.js'
import type { Storable } from './storability.js'
import { StoredResponse, type ResponseRecord } from './stored-response.js'
import { validatorsOf } from './validators.js'

/** A response on its way into the cache. */
export interface Keepable {
  readonly frame: Buffer
  readonly response: StoredResponse
  /** How long the cache may give it out without asking. */
  readonly ttlMs: number
  /** How long after that it is of use. */
  readonly graceMs: number
  readonly groups: readonly string[]
}

/** What belongs to a request that is stored with the response. */
export interface Selection {
  readonly key: string
  readonly selecting: HeaderList
  readonly family: string
}

/** `undefined` for a response that could never be used. */
export function keepable(storable: Storable, status: number, statusMessage: string, body: Buffer, selection: Selection, { keepMs }: Settings, now: number): Keepable | undefined {
  const { lifetime, forBearers, isPublic } = storable
  const dated = valueOf(storable.headers, 'date') === undefined ? ['date', new Date(now).toUTCString()] : []
  const headers = storable.headers.concat(dated)
  const ttlMs = Math.max(0, lifetime.freshMs - lifetime.initialAgeMs + lifetime.whileRevalidatingMs)
  const graceMs = Math.max(lifetime.ifErrorMs, validatorsOf(headers) === undefined ? 0 : keepMs, 0)
  if (ttlMs + graceMs === 0) return undefined
  const { freshMs, initialAgeMs, whileRevalidatingMs, ifErrorMs, mayBeStale } = lifetime
  const { key, selecting, family } = selection
  // Field by field: from a spread, each would have a hidden class of its own, which takes more than it does.
  const record: ResponseRecord = { key, status, statusMessage, headers, selecting, family, freshMs, initialAgeMs, whileRevalidatingMs, ifErrorMs, mayBeStale, forBearers, isPublic, storedAt: now }
  const frame = toFrame(record, body)
  if (frame === undefined) return undefined
  const response = new StoredResponse(record, frame, body.length, 0)
  return { frame, response, ttlMs, graceMs, groups: groupsOf(headers, 'cache-groups') }
}

/** The least any cache has to support (RFC 9875, section 2). */
const MOST_GROUPS = 32

/** Groups are tags (RFC 9875). */
export function groupsOf(headers: HeaderList, name: string): readonly string[] {
  const field = valueOf(headers, name)
  return field === undefined ? [] : (parseStrings(field) ?? []).filter((group) => group !== '').slice(0, MOST_GROUPS)
}
