import { urlOf, type CachedRequest } from '../express-shapes.js'
import type { Settings } from '../settings.js'
import { cookiesNamed } from './credentials.js'
import { escaped, forwardedPart } from './forwarding.js'
import { narrowUrl } from './query.js'
import { selectingValue } from '../response/variants.js'

/** What names a response. */
export interface RequestKey {
  readonly key: string
  /** The part of it that a request of another method to the same URL has too. */
  readonly base: string
  /** The URL with the parameters that count. */
  readonly url: string
}

/**
 * The key of a request: `GET http://host/path?query`, and what else it depends on, separated by spaces, which no part contains. `undefined` when the
 * application wants it kept out of the cache.
 */
export function requestKey(req: CachedRequest, room: string | undefined, settings: Settings): RequestKey | undefined {
  const { key: nameOf, query } = settings
  const url = query === undefined ? urlOf(req) : narrowUrl(urlOf(req), query)
  let address: string
  if (nameOf === undefined) address = originOf(req) + escaped(url)
  else {
    const name = nameOf(req)
    if (name === undefined) return undefined
    if (typeof name !== 'string' || name === '') throw new TypeError('the option key must give a string that is not empty')
    address = `=${escaped(name)}`
  }
  const base = baseKey(address, room, req)
  return { base, key: base + partOfHeaders(req, settings), url }
}

export function baseKey(address: string, room: string | undefined, { headers }: CachedRequest): string {
  const key = `GET ${address}${forwardedPart(headers)}`
  return room === undefined ? key : `${key} room=${escaped(room)}`
}

/** The tag that responses have whose key is more than its base, for those who know the base only. */
export function tagOfBase(base: string): string {
  return `url ${base}`.slice(0, 1024)
}

/** Scheme and host, by the connection and the `Host` header as it is written, which is how the handler sees it; what is forwarded is a part of its own. */
export function originOf({ headers, socket }: CachedRequest): string {
  const authority = headers[':authority'] as string | undefined
  // Over HTTP/2 there can be both, and who knows which of them a handler reads.
  const host = authority === undefined || authority === headers.host ? (headers.host ?? '') : `${authority},${headers.host ?? ''}`
  return `${'encrypted' in socket ? 'https' : 'http'}://${escaped(host)}`
}

function partOfHeaders({ headers }: CachedRequest, { vary, cookies }: Settings): string {
  let part = ''
  for (const name of vary) part += ` ${name}${escaped(selectingValue(headers, name))}`
  const named = cookies === undefined ? '' : cookiesNamed(headers.cookie, cookies)
  return named === '' ? part : `${part} cookie=${escaped(named)}`
}
