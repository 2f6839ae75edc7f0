import type { IncomingMessage, ServerResponse } from 'node:http'
import { hitOf } from '@tiercel/core/connection'
import { urlOf, type Addressed, type CachedRequest } from '../express-shapes.js'
import { hasHeader, without, type HeaderList } from '../fields/header-list.js'
import { isForTheHandler } from '../request/for-the-handler.js'
import { Asked } from '../request/asked.js'
import { originOf, requestKey } from '../request/request-key.js'
import { known } from '../response/decoded-frames.js'
import { isPerRequest } from '../response/storability.js'
import type { StoredResponse } from '../response/stored-response.js'
import { isSelected } from '../response/variants.js'
import { headersOf, toList, type HeaderSnapshot } from './outgoing-head.js'
import type { ResponseCache } from './response-cache.js'
import { sendBody } from './send-body.js'

/** What `http.createServer` and `app.listen` come to: Express looks it up for each request. */
export interface Handling {
  handle(req: IncomingMessage, res: ServerResponse, ...rest: unknown[]): unknown
}

/** A page that was served through the application. */
interface Page {
  readonly owner: ResponseCache
  /** The key that led to it: the headers that are part of it can make a difference in front of the cache too. */
  readonly key: string
  /** What middleware in front of the cache had set, for the variant that was selected by this. */
  readonly before: HeaderList
  readonly selecting: HeaderList
  /** Whether it was the same for another request: else it may be about one. */
  readonly isConfirmed: boolean
}

/** All headers of a response at the address of a page, but those that are counted anew. */
interface Head {
  readonly page: Page
  readonly headers: HeaderList
}

const MOST_PAGES = 10_000
const LONGEST_ADDRESS = 2048
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
  /** They go with their responses, which nothing here holds on to: it is the cache that bounds those. */
  readonly #heads = new WeakMap<StoredResponse, Head>()

  /** A response to anybody, that nothing but its URL and headers leads to. */
  learn(owner: ResponseCache, req: CachedRequest, res: ServerResponse, key: string, { record }: StoredResponse): void {
    const { settings } = owner
    const dependsOnMore = typeof settings.room === 'function' || settings.key !== undefined || settings.cookies !== undefined
    // Whoever has put itself between the body and the client is not left out.
    if (!record.isPublic || record.status !== 200 || dependsOnMore || Object.hasOwn(res, 'write')) return
    // What was set for somebody who is known is nothing for others.
    if (req.headers.cookie !== undefined || req.headers.authorization !== undefined) return
    const address = addressOf(req)
    const learned = this.#pages.get(address)
    if ((learned?.owner === owner && learned.isConfirmed) || address.length > LONGEST_ADDRESS) return
    const headers = headersOf(res)
    if (headers.has('set-cookie') || isForOneOrigin(headers)) return
    const before = without(toList(headers), isPerRequest)
    const isConfirmed = learned?.owner === owner && learned.key === key && isSame(learned.before, before) && isSame(learned.selecting, record.selecting)
    this.#pages.set(address, { owner, key, before, selecting: record.selecting, isConfirmed })
    if (this.#pages.size > MOST_PAGES) for (const oldest of this.#pages.keys()) return void this.#pages.delete(oldest)
  }

  /** Answers the request, if it can. */
  answers(incoming: IncomingMessage, res: ServerResponse): boolean {
    const asked = new Asked(incoming as CachedRequest)
    if (asked.method !== 'GET' || !isPlain(asked)) return false
    const page = this.#pages.get(addressOf(asked))
    if (page === undefined || !page.isConfirmed) return false
    const { settings, searchRules } = page.owner
    const named = requestKey(asked, settings.room as string | undefined, settings, searchRules)
    if (named?.key !== page.key) return false
    const response = known(hitOf(settings.cache, page.key))
    if (response === undefined || !response.record.isPublic || response.staleMs() >= 0 || !isSelected(response.record, asked.headers)) return false
    const head = this.#headOf(response, page)
    if (head === undefined) {
      this.#pages.delete(addressOf(asked))
      return false
    }
    const headers = [...head.headers, 'Age', String(Math.floor(response.ageMs() / 1000))]
    if (settings.cacheStatus !== undefined) headers.push('Cache-Status', settings.cacheStatus.text({ hit: true, ttl: Math.floor(-response.staleMs() / 1000), detail: 'accelerated' }))
    if (response.record.statusMessage === '') res.writeHead(200, headers)
    else res.writeHead(200, response.record.statusMessage, headers)
    sendBody(res, response.body)
    return true
  }

  /** `undefined` for another variant than the page was learned from: middleware can have set other headers for it. */
  #headOf(response: StoredResponse, page: Page): Head | undefined {
    const ready = this.#heads.get(response)
    if (ready?.page === page) return ready
    const { headers: own, selecting } = response.record
    if (!isSame(page.selecting, selecting)) return undefined
    const head = { page, headers: [...without(page.before, (name) => hasHeader(own, name)), ...own, 'Content-Length', String(response.body.length)] }
    this.#heads.set(response, head)
    return head
  }
}

function isSame(one: HeaderList, other: HeaderList): boolean {
  return one.length === other.length && one.every((text, i) => text === other[i])
}

function addressOf(asked: Addressed): string {
  return originOf(asked) + urlOf(asked)
}

/** Asks for the whole page and for nothing else; who asks makes no difference to a public one. */
function isPlain({ headers }: Asked): boolean {
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
