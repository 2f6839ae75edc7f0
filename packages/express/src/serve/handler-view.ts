import { urlOf, type CachedRequest } from '../express-shapes.js'
import { CONDITIONALS } from '../request/conditional.js'
import { cookiesNamed } from '../request/credentials.js'
import { VISITORS_ADDRESS } from '../request/forwarding.js'
import { narrowUrl } from '../request/query.js'
import type { Validators } from '../response/validators.js'
import type { Settings } from '../settings.js'

/**
 * Shows a handler whose answer may be kept only what belongs to the key: without the conditions of this visitor, who would be given a 304 that is of no
 * use to others, without cookies that do not count, and with the validators of what is kept.
 *
 * Who reads the visitor's address makes an answer for that visitor; that is allowed, and noticed.
 */
export class HandlerView {
  readonly #headers: Record<string, unknown>
  readonly #saved = new Map<string, unknown>()
  readonly #watched: string[] = []
  #isRestored = false
  /** Whether the handler has looked at who the visitor is. */
  isPersonal = false

  constructor(
    private readonly req: CachedRequest,
    { cookies, query }: Settings,
    validators: Validators | undefined,
  ) {
    this.#headers = req.headers
    this.#replace(CONDITIONALS[0], validators?.etag)
    this.#replace(CONDITIONALS[1], validators?.lastModified)
    if (cookies !== undefined && req.headers.cookie !== undefined) {
      this.#replace('cookie', cookiesNamed(req.headers.cookie, cookies) || undefined)
      for (const found of ['cookies', 'signedCookies'] as const) {
        const parsed = req[found]
        if (typeof parsed === 'object' && parsed !== null) req[found] = Object.fromEntries(Object.entries(parsed).filter(([name]) => cookies.includes(name)))
      }
    }
    if (query !== undefined) narrow(req, (url) => narrowUrl(url, query))
    for (const name of VISITORS_ADDRESS) if (Object.hasOwn(this.#headers, name)) this.#watchHeader(name)
    if ('ip' in req) for (const name of ['ip', 'ips']) this.#watchGetter(name)
  }

  /** Gives the request back as it was, but for the parameters that do not count. */
  restore(): void {
    if (this.#isRestored) return
    this.#isRestored = true
    for (const [name, value] of this.#saved) {
      if (value === undefined) delete this.#headers[name]
      else Object.defineProperty(this.#headers, name, { value, enumerable: true, configurable: true, writable: true })
    }
    for (const name of this.#watched) delete (this.req as unknown as Record<string, unknown>)[name]
  }

  /** Those in front of the handler, such as a log, may look at who the visitor is: what they do with it is no part of the page. */
  unwatched<T>(call: () => T): T {
    const wasPersonal = this.isPersonal
    try {
      return call()
    } finally {
      this.isPersonal = wasPersonal
    }
  }

  #replace(name: string, value: string | undefined): void {
    this.#saved.set(name, this.#headers[name])
    if (value === undefined) delete this.#headers[name]
    else this.#headers[name] = value
  }

  #watchHeader(name: string): void {
    const value = this.#headers[name]
    this.#saved.set(name, value)
    this.#define(this.#headers, name, () => value)
  }

  #watchGetter(name: string): void {
    if (Object.hasOwn(this.req, name)) return
    this.#watched.push(name)
    this.#define(this.req, name, () => Reflect.get(Object.getPrototypeOf(this.req) as object, name, this.req))
  }

  #define(target: object, name: string, get: () => unknown): void {
    const read = () => {
      this.isPersonal = true
      return get()
    }
    Object.defineProperty(target, name, { get: read, enumerable: true, configurable: true })
  }
}

interface ExpressApp {
  get(name: string): unknown
}

function narrow(req: CachedRequest, narrowed: (url: string) => string): void {
  const url = narrowed(urlOf(req))
  if (url === urlOf(req)) return
  if (req.originalUrl !== undefined) req.originalUrl = url
  req.url = narrowed(req.url ?? '/')
  // Express 4 has parsed it already; in Express 5 it is parsed when it is read.
  if (!Object.hasOwn(req, 'query')) return
  const parse = (req as { app?: ExpressApp }).app?.get('query parser fn')
  const mark = req.url.indexOf('?')
  ;(req as { query: unknown }).query = typeof parse === 'function' ? (parse as (text: string) => unknown)(mark < 0 ? '' : req.url.slice(mark + 1)) : {}
}
