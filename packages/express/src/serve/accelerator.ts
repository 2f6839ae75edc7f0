import type { IncomingMessage, ServerResponse } from 'node:http'
import { hitOf } from '@tiercel/core/connection'
import { urlOf, type CachedRequest } from '../express-shapes.js'
import { hasHeader, without, type HeaderList } from '../fields/header-list.js'
import { isForTheHandler } from '../request/for-the-handler.js'
import { originOf, requestKey } from '../request/request-key.js'
import { known } from '../response/decoded-frames.js'
import { isPerRequest } from '../response/storability.js'
import type { StoredResponse } from '../response/stored-response.js'
import { isSelected } from '../response/variants.js'
import { headersOf, toList, type HeaderSnapshot } from './outgoing-head.js'
import type { ResponseCache } from './response-cache.js'

/** What `http.createServer` and `app.listen` come to: Express looks it up for each request. */
export interface Handling {
  handle(req: IncomingMessage, res: ServerResponse, ...rest: unknown[]): unknown
}

/** A page that was served through the application. */
interface Page {
  readonly owner: ResponseCache
  /** What middleware in front of the cache had set, for the variant that was selected by this. */
  readonly before: HeaderList
  readonly selecting: HeaderList
  /** The last response, and all its headers but those that are counted anew. */
  response: StoredResponse | undefined
  headers: HeaderList
}

const MOST_PAGES = 10_000
const accelerators = new WeakMap<object, Accelerator>()

let isUsed = false

/** Most processes have none, and need not look. */
export function hasAccelerators(): boolean {
  return isUsed
}

export function acceleratorOf(app: unknown): Accelerator | undefined {
  return typeof app === 'function' ? accelerators.get(app) : undefined
}

export function putBefore(app: Handling): void {
  const accelerator = new Accelerator()
  accelerators.set(app, accelerator)
  isUsed = true
  const handle = app.handle
  app.handle = (req, res, ...rest) => (accelerator.answers(req, res) ? undefined : handle.call(app, req, res, ...rest))
}

/** Pages of one application that may be answered before it runs: which they are, it learns from hits that went all the way through it. */
export class Accelerator {
  readonly #pages = new Map<string, Page>()

  /** A response to anybody, that nothing but its URL and headers leads to. */
  learn(owner: ResponseCache, req: CachedRequest, res: ServerResponse, { record }: StoredResponse): void {
    const { settings } = owner
    const dependsOnMore = typeof settings.room === 'function' || settings.key !== undefined || settings.cookies !== undefined
    // Whoever has put itself between the body and the client is not left out.
    if (!record.isPublic || record.status !== 200 || dependsOnMore || Object.hasOwn(res, 'write')) return
    const address = addressOf(req)
    if (this.#pages.get(address)?.owner === owner) return
    const headers = headersOf(res)
    if (headers.has('set-cookie') || isForOneOrigin(headers)) return
    const before = without(toList(headers), isPerRequest)
    this.#pages.set(address, { owner, before, selecting: record.selecting, response: undefined, headers: [] })
    if (this.#pages.size > MOST_PAGES) for (const oldest of this.#pages.keys()) return void this.#pages.delete(oldest)
  }

  /** Answers the request, if it can. */
  answers(incoming: IncomingMessage, res: ServerResponse): boolean {
    const req = incoming as CachedRequest
    if (req.method !== 'GET' || !isPlain(req)) return false
    const page = this.#pages.get(addressOf(req))
    if (page === undefined) return false
    const { settings, searchRules } = page.owner
    const named = requestKey(req, settings.room as string | undefined, settings, searchRules)
    const response = named === undefined ? undefined : known(hitOf(settings.cache, named.key))
    if (response === undefined || !response.record.isPublic || response.staleMs() >= 0 || !isSelected(response.record, req.headers)) return false
    if (page.response !== response) {
      const { headers: own, selecting } = response.record
      // Middleware can have set other headers for this variant.
      if (page.selecting.join('\n') !== selecting.join('\n')) {
        this.#pages.delete(addressOf(req))
        return false
      }
      page.response = response
      page.headers = [...without(page.before, (name) => hasHeader(own, name)), ...own, 'Content-Length', String(response.body.length)]
    }
    const headers = [...page.headers, 'Age', String(Math.floor(response.ageMs() / 1000))]
    if (settings.cacheStatus !== undefined) headers.push('Cache-Status', `${settings.cacheStatus}; hit; ttl=${Math.floor(-response.staleMs() / 1000)}; detail=accelerated`)
    if (response.record.statusMessage === '') res.writeHead(200, headers)
    else res.writeHead(200, response.record.statusMessage, headers)
    res.end(response.body)
    return true
  }
}

function addressOf(req: CachedRequest): string {
  return originOf(req) + urlOf(req)
}

/** Asks for the whole page and for nothing else; who asks makes no difference to a public one. */
function isPlain({ headers }: IncomingMessage): boolean {
  return (
    headers.range === undefined &&
    headers['if-none-match'] === undefined &&
    headers['if-modified-since'] === undefined &&
    headers['cache-control'] === undefined &&
    headers.pragma === undefined &&
    !isForTheHandler(headers)
  )
}

/** Permission that middleware gives to one origin, whether it says so by `Vary` or not. */
function isForOneOrigin(headers: HeaderSnapshot): boolean {
  const [allowed = '*'] = headers.get('access-control-allow-origin') ?? []
  return allowed !== '*'
}
