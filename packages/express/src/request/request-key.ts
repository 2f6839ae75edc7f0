import { urlOf, type Addressed } from '../express-shapes.js'
import type { Settings } from '../settings.js'
import type { Asked } from './asked.js'
import { cookiesNamed } from './credentials.js'
import { escaped, forwardedPart } from './forwarding.js'
import { narrowUrl } from './query.js'
import type { SearchRules } from './search-rules.js'
import { selectingValue } from '../response/variants.js'

/** What names a response. */
export interface RequestKey {
  readonly key: string
  /** The part of it that a request of another method to the same URL has too. */
  readonly base: string
  /** The URL with the parameters that count. */
  readonly url: string
  /** The `No-Vary-Search` by which parameters were left out of the key: the response must have it too. */
  readonly search: string | undefined
}

/**
 * The key of a request: `GET http://host/path?query`, and what else it depends on, separated by spaces, which no part contains. `undefined` when the
 * application wants it kept out of the cache.
 */
export function requestKey(asked: Asked, room: string | undefined, settings: Settings, rules: SearchRules): RequestKey | undefined {
  const { key: nameOf, query } = settings
  const url = query === undefined ? urlOf(asked) : narrowUrl(urlOf(asked), query)
  if (nameOf !== undefined) {
    const name = nameOf(asked.req)
    if (name === undefined) return undefined
    if (typeof name !== 'string' || name === '') throw new TypeError('the option key must give a string that is not empty')
    const base = baseKey(`=${escaped(name)}`, room, asked)
    return { base, key: base + partOfHeaders(asked, settings), url, search: undefined }
  }
  const address = originOf(asked) + url
  const rule = rules.for(address)
  const base = baseKey(rule === undefined ? address : narrowUrl(address, rule), room, asked)
  const own = rule === undefined ? base : `${base} search=${escaped(rule.field)}`
  return { base, key: own + rewrittenPart(asked, settings) + partOfHeaders(asked, settings), url, search: rule?.field }
}

/** The URL that middleware in front has put in place of what was asked for, by whatever it knows of the visitor: routes go by that one. */
function rewrittenPart({ req, originalUrl, url = '/' }: Asked, { query }: Settings): string {
  if (originalUrl === undefined || originalUrl === url) return ''
  const { baseUrl = '' } = req
  if (originalUrl === baseUrl + url) return ''
  // Where a router is mounted, Express puts a slash in front of what is left.
  if (url.startsWith('/') && originalUrl === baseUrl + url.slice(1)) return ''
  const rewritten = baseUrl + url
  return ` as=${escaped(query === undefined ? rewritten : narrowUrl(rewritten, query))}`
}

export function baseKey(address: string, room: string | undefined, { headers }: Addressed): string {
  const key = `GET ${address}${forwardedPart(headers)}`
  return room === undefined ? key : `${key} room=${escaped(room)}`
}

/** An address without its query. */
export function pathOf(address: string): string {
  const mark = address.indexOf('?')
  return mark < 0 ? address : address.slice(0, mark)
}

/** The tag of responses whose key cannot be told from their URL: for those who know that only. */
export function tagOfPath(base: string): string {
  return `url ${pathOf(base)}`.slice(0, 1024)
}

/** Scheme and host, by the connection and the `Host` header as it is written, which is how the handler sees it; what is forwarded is a part of its own. */
export function originOf({ headers, socket }: Addressed): string {
  const authority = headers[':authority'] as string | undefined
  // Over HTTP/2 there can be both, and who knows which of them a handler reads.
  const host = authority === undefined || authority === headers.host ? (headers.host ?? '') : `${authority},${headers.host ?? ''}`
  return ('encrypted' in socket ? 'https://' : 'http://') + (isPlain(host) ? host : escaped(host))
}

function isPlain(host: string): boolean {
  return /^[\w.:-]*$/.test(host)
}

function partOfHeaders({ headers }: Asked, { vary, cookies }: Settings): string {
  if (vary.length === 0 && cookies === undefined) return ''
  let part = ''
  for (const name of vary) part += ` ${name}${escaped(selectingValue(headers, name))}`
  const named = cookies === undefined ? '' : cookiesNamed(headers.cookie, cookies)
  return named === '' ? part : `${part} cookie=${escaped(named)}`
}
