import { fieldsOf, isUnqualified, noDirectives, parseDirectives, type Directives } from '../fields/directives.js'
import { hasHeader, tokensOf, valueOf, without, type HeaderList } from '../fields/header-list.js'
import { parseDictionary } from '../fields/structured.js'
import type { Credentials } from '../request/credentials.js'
import type { Settings } from '../settings.js'
import { lifetimeOf, type Said } from './freshness.js'
import type { Lifetime } from './stored-response.js'
import { varyNames } from './variants.js'

/** What the handler has answered, before its body. */
export interface Head {
  readonly status: number
  readonly statusMessage: string
  /** All that is going to be sent. */
  readonly headers: HeaderList
  /** What of it the handler has set: it was not there when the handler was called. */
  readonly own: HeaderList
}

/** How a response is going to be kept. */
export interface Storable {
  readonly lifetime: Lifetime
  readonly headers: HeaderList
  /** The request headers it varies by. */
  readonly varies: readonly string[]
  readonly forBearers: boolean
  readonly isPublic: boolean
}

/** Final ones with a meaning that is known here (RFC 9111, section 5.2.2.3). */
const UNDERSTOOD = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 417, 421, 422, 426, 500, 501,
  502, 503, 504, 505,
])

/** What belongs to one connection (RFC 9110, section 7.6.1; RFC 9111, section 3.1), or is counted anew for each answer. */
const NOT_KEPT = new Set([
  'age',
  'cache-status',
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What is about one request and not about what it asks for. */
const PER_REQUEST = /^(?:x-request-id|x-correlation-id|x-amzn-trace-id|x-b3-.*|traceparent|tracestate|server-timing|x-response-time|x-runtime|(?:x-)?rate-?limit.*)$/

export function isPerRequest(name: string): boolean {
  return NOT_KEPT.has(name) || PER_REQUEST.test(name)
}

/** Whether, and how, a response may be kept (RFC 9111, section 3). A string says why not. */
export function storabilityOf(head: Head, credentials: Credentials, settings: Settings, now: number): Storable | string {
  const { status, headers, own } = head
  if (status < 200 || status === 206 || status === 304 || /^\s*bytes/i.test(valueOf(headers, 'content-range') ?? '')) return 'partial'
  if (status >= 400 && !settings.keepsErrors) return 'error'
  // Also one that was set before the handler: it may stand in the page.
  if (hasHeader(headers, 'set-cookie')) return 'set-cookie'
  if (hasHeader(headers, 'trailer')) return 'trailer'
  if (isEndless(headers)) return 'stream'
  if (hasNonce(headers)) return 'nonce'
  // Whether such a header goes out as latin1 or as UTF-8 depends on the body that happens to follow.
  if (own.some((text) => !isAscii(text))) return 'not-ascii'

  const { directives, isTargeted } = directivesOf(headers, settings.targeted)
  if (directives.has('must-understand') ? !UNDERSTOOD.has(status) : directives.has('no-store')) return 'no-store'
  if (isUnqualified(directives, 'private')) return 'private'
  const forBearers = directives.has('public') || directives.has('s-maxage') || directives.has('must-revalidate')
  const isPublic = directives.has('public')
  if (credentials.authorization && !forBearers) return 'authorization'
  if (credentials.cookie && !isPublic) return 'cookie'

  if (valueOf(own, 'access-control-allow-credentials')?.toLowerCase() === 'true') return 'cors'
  const varies = varyNames(variesBy(headers, own, credentials))
  if (varies === undefined || varies.includes('cookie') || varies.includes('authorization')) return 'vary'

  const said: Said = { status, headers, directives: withoutQualified(directives), isTargeted }
  const lifetime = lifetimeOf(said, settings, now)
  if (lifetime === undefined) return 'no-freshness'
  const limited = new Set([...fieldsOf(directives, 'private'), ...fieldsOf(directives, 'no-cache'), ...tokensOf(valueOf(headers, 'connection'))])
  return { lifetime, headers: without(own, (name) => isPerRequest(name) || limited.has(name)), varies, forBearers, isPublic }
}

/** Whether a response says of itself that it is for one visitor. */
export function isForOneVisitor(headers: HeaderList, targeted: readonly string[]): boolean {
  const { directives } = directivesOf(headers, targeted)
  return hasHeader(headers, 'set-cookie') || isUnqualified(directives, 'private') || (directives.has('no-store') && !directives.has('must-understand'))
}

/** In a targeted field these take an Integer, and what is of another type is not to be made one (RFC 9213, section 2.1). */
const IN_SECONDS = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error'])

/** The directives that are for us: the first targeted field of which something can be read goes before `Cache-Control` (RFC 9213, section 2.2). */
export function directivesOf(headers: HeaderList, targeted: readonly string[]): { readonly directives: Directives; readonly isTargeted: boolean } {
  for (const name of targeted) {
    const field = valueOf(headers, name)
    const dictionary = field === undefined ? undefined : parseDictionary(field)
    if (dictionary === undefined) continue
    const usable = [...dictionary].filter(([key, value]) => value !== false && (!IN_SECONDS.has(key) || Number.isInteger(value)))
    if (usable.length === 0) continue
    const directives = new Map(usable.map(([key, value]) => [key, value === true || Array.isArray(value) ? true : String(value)] as const))
    return { directives, isTargeted: true }
  }
  const field = valueOf(headers, 'cache-control')
  return { directives: field === undefined ? noDirectives : parseDirectives(field), isTargeted: false }
}

function withoutQualified(directives: Directives): Directives {
  return fieldsOf(directives, 'no-cache').length === 0 ? directives : new Map([...directives].filter(([name]) => name !== 'no-cache'))
}

function variesBy(headers: HeaderList, own: HeaderList, { handlerSeesCookies }: Credentials): string[] {
  const names = tokensOf(valueOf(headers, 'vary')).filter((name) => name !== 'cookie' || handlerSeesCookies)
  // A page for one origin is no page for another, and who reads gzip is not everybody, also where the handler forgets to say so.
  const allowed = valueOf(own, 'access-control-allow-origin')
  if (allowed !== undefined && allowed !== '*') names.push('origin')
  if (hasHeader(own, 'content-encoding')) names.push('accept-encoding')
  return names
}

function isEndless(headers: HeaderList): boolean {
  return /^text\/event-stream\b|^multipart\/x-mixed-replace\b/i.test(valueOf(headers, 'content-type') ?? '') || valueOf(headers, 'x-accel-buffering')?.toLowerCase() === 'no'
}

function isAscii(text: string): boolean {
  return !/[^\t\x20-\x7e]/.test(text)
}

/** A nonce that is given twice protects nobody. */
function hasNonce(headers: HeaderList): boolean {
  return `${valueOf(headers, 'content-security-policy') ?? ''}${valueOf(headers, 'content-security-policy-report-only') ?? ''}`.includes("'nonce-")
}
