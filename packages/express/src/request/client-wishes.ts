import type { IncomingHttpHeaders } from 'node:http'
import { noDirectives, parseDirectives, seconds, type Directives } from '../fields/directives.js'
import type { StoredResponse } from '../response/stored-response.js'

/** A client's `Cache-Control` and `Pragma` (RFC 9111, section 5.2.1), where they are obeyed. */
export interface ClientWishes {
  readonly noStore: boolean
  readonly onlyIfCached: boolean
  accepts(response: StoredResponse): boolean
  /** Whether it takes a response that is stale, rather than have the handler asked. */
  acceptsStale(response: StoredResponse): boolean
}

/** Longer ones are forged, and cost time to read. */
const LONGEST_FIELD = 1024

const NONE: ClientWishes = { noStore: false, onlyIfCached: false, accepts: () => true, acceptsStale: () => false }

export function clientWishes({ 'cache-control': field, pragma }: IncomingHttpHeaders, isObeyed: boolean): ClientWishes {
  if (!isObeyed || (field === undefined && pragma === undefined)) return NONE
  const directives: Directives = field === undefined ? (pragma?.toLowerCase().includes('no-cache') ? new Map([['no-cache', true]]) : noDirectives) : parseDirectives(field.slice(0, LONGEST_FIELD))
  const maxAge = seconds(directives, 'max-age')
  const minFresh = seconds(directives, 'min-fresh')
  const noCache = directives.has('no-cache')
  const maxStaleMs = directives.get('max-stale') === true ? Number.POSITIVE_INFINITY : (seconds(directives, 'max-stale') ?? 0) * 1000
  const accepts = (response: StoredResponse): boolean => {
    if (noCache || (maxAge !== undefined && response.ageMs() > maxAge * 1000 + maxStaleMs)) return false
    return minFresh === undefined || -response.staleMs() >= minFresh * 1000
  }
  return {
    noStore: directives.has('no-store'),
    onlyIfCached: directives.has('only-if-cached'),
    accepts,
    acceptsStale(response) {
      const staleMs = response.staleMs()
      // One that would still be fresh is here because it was refused, or because the application has let it expire.
      return staleMs >= 0 && staleMs < maxStaleMs && accepts(response)
    },
  }
}
