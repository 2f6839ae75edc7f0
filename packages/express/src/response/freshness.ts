import { seconds, type Directives } from '../fields/directives.js'
import { valueOf, type HeaderList } from '../fields/header-list.js'
import { parseHttpDate } from '../fields/http-date.js'
import type { Settings } from '../settings.js'
import { initialAgeMs } from './age.js'
import type { Lifetime } from './stored-response.js'

/** RFC 9110, section 15.1. */
const HEURISTICALLY_CACHEABLE = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
/** A tenth of the time since the last change, as RFC 9111, section 4.2.2 suggests; and a day at most. */
const HEURISTIC_PART = 0.1
const HEURISTIC_MOST = 86_400_000
/** No clock, and nobody's intention, is good for longer. */
const LONGEST = 365 * 86_400_000

/** What the response says about itself. */
export interface Said {
  readonly status: number
  readonly headers: HeaderList
  readonly directives: Directives
  /** Whether the directives are of a targeted field, beside which `Expires` has no say. */
  readonly isTargeted: boolean
}

/** How long the response may be used; `undefined` when nothing allows any use of it. */
export function lifetimeOf(said: Said, settings: Settings, now: number): Lifetime | undefined {
  const { directives } = said
  const explicit = explicitMs(said, now)
  const allowed = explicit ?? routeMs(said, settings) ?? heuristicMs(said, now)
  if (allowed === undefined) return undefined
  const freshMs = directives.has('no-cache') ? 0 : Math.min(allowed, LONGEST)

  const mustRevalidate = directives.has('must-revalidate') || directives.has('proxy-revalidate') || directives.has('no-cache')
  const ms = (name: string) => {
    const given = seconds(directives, name)
    return given === undefined ? undefined : Math.min(given * 1000, LONGEST)
  }
  // `s-maxage` asks for validation too, unless the handler says at the same time what may be done without.
  const mayBeStale = !mustRevalidate && !directives.has('s-maxage')
  return {
    freshMs,
    initialAgeMs: Math.min(initialAgeMs(said.headers, now), LONGEST),
    whileRevalidatingMs: mustRevalidate ? 0 : (ms('stale-while-revalidate') ?? (mayBeStale ? settings.staleWhileRevalidateMs : 0)),
    ifErrorMs: mustRevalidate ? -1 : (ms('stale-if-error') ?? (mayBeStale && settings.graceMs > 0 ? settings.graceMs : -1)),
    mayBeStale,
  }
}

/** What the response says itself: `s-maxage`, `max-age`, `Expires`, in that order (RFC 9111, section 4.2.1). */
function explicitMs({ headers, directives, isTargeted }: Said, now: number): number | undefined {
  const maxAge = seconds(directives, 's-maxage') ?? seconds(directives, 'max-age')
  if (maxAge !== undefined) return maxAge * 1000
  const expires = isTargeted ? undefined : valueOf(headers, 'expires')
  if (expires !== undefined) return Math.max(0, (parseHttpDate(expires) ?? 0) - (parseHttpDate(valueOf(headers, 'date')) ?? now))
  // It may be stored, to be validated at each use.
  return directives.has('no-cache') ? 0 : undefined
}

/** What the options of the route say of all that is well. */
function routeMs({ status }: Said, { ttlMs }: Settings): number | undefined {
  return ttlMs !== undefined && status < 400 && HEURISTICALLY_CACHEABLE.has(status) ? ttlMs : undefined
}

function heuristicMs({ status, headers, directives }: Said, now: number): number | undefined {
  if (!HEURISTICALLY_CACHEABLE.has(status) && !directives.has('public')) return undefined
  const modified = parseHttpDate(valueOf(headers, 'last-modified'))
  if (modified === undefined) return undefined
  const date = parseHttpDate(valueOf(headers, 'date')) ?? now
  return Math.min(Math.max(0, (date - modified) * HEURISTIC_PART), HEURISTIC_MOST)
}
