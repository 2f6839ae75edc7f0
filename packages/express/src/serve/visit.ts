import type { ServerResponse } from 'node:http'
import type { CallOptions, LoadContext } from '@tiercel/core'
import { hitOf } from '@tiercel/core/connection'
import type { CachedRequest, Next } from '../express-shapes.js'
import { Asked } from '../request/asked.js'
import { clientWishes, type ClientWishes } from '../request/client-wishes.js'
import { preconditionsOf } from '../request/conditional.js'
import { credentialsOf, type Credentials } from '../request/credentials.js'
import { originOf, pathOf, requestKey, tagOfPath, type RequestKey } from '../request/request-key.js'
import { decode, known, remember } from '../response/decoded-frames.js'
import { keepable, type Selection } from '../response/keeping.js'
import type { StoredResponse } from '../response/stored-response.js'
import { valueOf } from '../fields/header-list.js'
import { isSelected, newFamily, variantKey } from '../response/variants.js'
import type { Settings } from '../settings.js'
import { ask, type Answer } from './asking.js'
import { acceleratorOf, hasAccelerators } from './accelerator.js'
import { rootOf } from './application.js'
import { askDetached } from './detached.js'
import { headersOf, restoreHeaders } from './outgoing-head.js'
import { replay } from './replay.js'
import type { ResponseCache } from './response-cache.js'

/** What others who wait for a response are told when there is none for them. */
class Shared {
  constructor(
    /** Whether it is worth to wait for the next. */
    readonly triesAgain: boolean,
    /** In place of an error. */
    readonly excuse: StoredResponse | undefined,
  ) {}
}

const RUN_YOURSELF = new Shared(false, undefined)
const TRY_AGAIN = new Shared(true, undefined)

/** How often a request waits for another's run of the handler, before it makes its own. */
const MOST_WAITS = 2

/** How soon a renewal is tried again. */
const RENEWAL_PAUSE_MS = 1000

/** One request on its way through the cache. */
export class Visit {
  readonly #options: CallOptions
  readonly #credentials: Credentials
  readonly #wishes: ClientWishes
  /** A part of a response, its head, or what is expressly wanted from the cache: the handler's answer to that is none to keep. */
  readonly #onlyReads: boolean
  #isAnswered = false

  /** @throws whatever a function among the options throws. */
  static of(owner: ResponseCache, asked: Asked, res: ServerResponse, next: Next): Visit | undefined {
    const { settings } = owner
    const room = roomOf(asked.req, settings)
    const named = requestKey(asked, room, settings, owner.searchRules)
    return named === undefined ? undefined : new Visit(owner, asked, res, next, named, owner.callOptions(room, tagsOf(asked.req, named, settings)))
  }

  private constructor(
    readonly owner: ResponseCache,
    private readonly asked: Asked,
    readonly res: ServerResponse,
    private readonly next: Next,
    private readonly named: RequestKey,
    options: CallOptions,
  ) {
    const { headers, method } = asked
    this.#options = options
    this.#credentials = credentialsOf(headers, owner.settings.cookies)
    this.#wishes = clientWishes(headers, owner.settings.obeysClients)
    this.#onlyReads = method === 'HEAD' || headers.range !== undefined || this.#wishes.onlyIfCached
  }

  run(): void {
    const { owner } = this
    const { key } = this.named
    if (this.#wishes.noStore) return this.#pass('unkept')
    const hit = hitOf(owner.settings.cache, key)
    const response = known(hit)
    const going = response !== undefined && isSelected(response.record, this.asked.headers) ? this.#use(response, key) : this.#search(hit, key)
    // Most hits are over by now, without a promise.
    going?.catch((error: unknown) => this.fail(error))
  }

  /** The cache cannot answer: the handler does. */
  fail(error: unknown): void {
    this.owner.report(error)
    this.#pass('error')
  }

  #look(key: string, reads: boolean): Promise<unknown> {
    return reads ? this.owner.settings.cache.get(key) : this.#obtain(key)
  }

  /** What the cache gives may be an answer, or say where to look next. */
  async #search(hit: unknown, firstKey: string): Promise<void> {
    if (hit === undefined && this.#waitsInVain(firstKey)) return this.#pass('unkept')
    const reads = this.#onlyReads || !this.owner.admits(firstKey)
    let key = firstKey
    let found = hit ?? (await this.#look(key, reads))
    for (let waits = 0; !this.#isAnswered; found = await this.#look(key, reads)) {
      if (found instanceof Shared) {
        if (found.excuse !== undefined && this.#maySee(found.excuse)) return this.#serve(found.excuse, 'stale')
        if (!found.triesAgain || ++waits >= MOST_WAITS) return this.#pass('unkept')
        continue
      }
      const response = known(found) ?? (await this.#read(found, key))
      if (response === undefined) return this.#missing(found !== undefined && !reads ? key : undefined)
      if (isSelected(response.record, this.asked.headers)) return this.#use(response, key)
      // It varies by more than its siblings: it gives way.
      if (key !== this.named.key) return reads ? this.#missing(undefined) : this.#lead(key, undefined)
      key = variantKey(key, response.record.family, response.record.selecting, this.asked.headers)
      if (!isRoomFor(response, key, this.owner.settings.maxVariants)) return this.#pass('variants')
      if (this.#waitsInVain(key)) return this.#pass('unkept')
    }
  }

  #waitsInVain(key: string): boolean {
    return this.owner.habits.areUnkept(key, this.#credentials)
  }

  #missing(unreadable: string | undefined): Promise<void> | void {
    // Something else is under the key: it is replaced.
    if (unreadable !== undefined) return this.#lead(unreadable, undefined)
    if (!this.#wishes.onlyIfCached) return this.#pass('miss')
    this.#isAnswered = true
    this.res.statusCode = 504
    this.res.setHeader('Content-Length', 0)
    this.res.end()
  }

  /** Somebody's fresh response that is selected for this request. */
  #use(response: StoredResponse, key: string): Promise<void> | void {
    if (!this.#maySee(response)) return this.#pass('credentials')
    // The clock is read once for all of a hit.
    const now = performance.now()
    const staleMs = response.staleMs(now)
    if (staleMs >= 0 && staleMs >= response.record.whileRevalidatingMs) {
      // It was made for another and is to be validated at each use: to wait for it was in vain.
      this.owner.habits.noteUnkept(key, this.#credentials)
      return this.#pass('stale')
    }
    if (!this.#wishes.accepts(response)) return this.#onlyReads ? this.#missing(undefined) : this.#lead(key, response)
    if (staleMs < 0) {
      if (hasAccelerators()) acceleratorOf(rootOf(this.req))?.learn(this.owner, this.req, this.res, this.named.key, response)
      return this.#serve(response, undefined, now)
    }
    if (rootOf(this.req) !== undefined) this.#renew(response, key)
    // Without an application there is none to renew it behind the visitor's back.
    else if (!this.#onlyReads) return this.#lead(key, response)
    this.#serve(response, 'stale-while-revalidate')
  }

  #maySee({ record }: StoredResponse): boolean {
    return (!this.#credentials.authorization || record.forBearers) && (!this.#credentials.cookie || record.isPublic) && isSelected(record, this.asked.headers)
  }

  #serve(response: StoredResponse, detail: string | undefined, now = performance.now()): void {
    const { asked, res } = this
    const { cacheStatus } = this.owner.settings
    this.#isAnswered = true
    const before = detail === undefined ? undefined : headersOf(res)
    try {
      if (cacheStatus !== undefined) {
        const ttl = Math.floor(-response.staleMs(now) / 1000)
        if (detail === undefined) cacheStatus.addHit(res, ttl)
        else cacheStatus.add(res, { hit: true, ttl, detail })
      }
      replay(response, asked, res, res, preconditionsOf(this.asked.headers), now)
    } catch (error) {
      if (res.headersSent) throw error
      restoreHeaders(res, before ?? new Map())
      this.#isAnswered = false
      throw error
    }
  }

  /** The handler's own answer, for this request only. */
  #pass(detail: string): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    // Not as the first header of all: Node reads what `writeHead` is given otherwise when there are some.
    if (!this.res.headersSent && this.res.getHeaderNames().length > 0) this.owner.settings.cacheStatus?.add(this.res, { hit: false, fwd: 'bypass', detail })
    this.next()
  }

  #obtain(key: string): Promise<unknown> {
    return this.owner.settings.cache.getOrSet<unknown>(key, (ctx) => this.#load(ctx, key, undefined), this.#options)
  }

  /** Past what is cached: its place is taken by what the handler says now. */
  async #lead(key: string, previous: StoredResponse | undefined): Promise<void> {
    await this.owner.settings.cache.getOrSet<unknown>(key, (ctx) => this.#load(ctx, key, previous), { ...this.#options, bypass: 'read' })
    // The load of somebody else can have taken the place of ours.
    this.#pass('superseded')
  }

  async #load(ctx: LoadContext, key: string, refused: StoredResponse | undefined): Promise<unknown> {
    this.#isAnswered = true
    const { req, res, owner } = this
    const stale = ctx.stale?.value
    const kept = refused ?? known(stale) ?? decode(stale, key, undefined)
    const previous = kept !== undefined && this.#maySee(kept) ? kept : undefined
    if (previous !== undefined && previous.record.mayBeStale && this.#wishes.acceptsStale(previous)) {
      this.#serve(previous, 'max-stale')
      return ctx.skip(RUN_YOURSELF)
    }
    const fwd = refused !== undefined ? 'request' : previous !== undefined ? 'stale' : kept !== undefined || key !== this.named.key ? 'vary-miss' : 'uri-miss'
    const answer = await ask({ req, res, settings: owner.settings, credentials: this.#credentials, preconditions: preconditionsOf(this.asked.headers), previous, fwd, run: () => this.next() })
    return this.#keep(ctx, key, answer, kept)
  }

  /** Runs the handler once more for those to come, without this visitor. */
  #renew(response: StoredResponse, key: string): void {
    const now = performance.now()
    if (now < response.renewAt) return
    response.renewAt = now + RENEWAL_PAUSE_MS
    const { freshMs, initialAgeMs, whileRevalidatingMs } = response.record
    const freshFor = Math.max(0, freshMs - initialAgeMs)
    // Well before the end of its freshness, so that our clock and the cache's agree that it is over; another process' renewal is not due again.
    const refresh = Math.max((0.9 * freshFor) / (freshFor + whileRevalidatingMs), 1e-6)
    const load = async (ctx: LoadContext) => this.#keep(ctx, key, await askDetached(this, response), response)
    this.owner.settings.cache.getOrSet<unknown>(key, load, { ...this.#options, refresh }).catch((error: unknown) => this.owner.report(error))
  }

  #keep(ctx: LoadContext, key: string, answer: Answer, kept: StoredResponse | undefined): unknown {
    const { settings, habits } = this.owner
    if (answer.kind === 'broken') return ctx.skip(TRY_AGAIN)
    if (answer.kind === 'excused') return ctx.skip(new Shared(false, answer.previous))
    if (answer.kind === 'not-kept') {
      habits.noteUnkept(key, this.#credentials)
      const isOurs = answer.because === 'cookie' || answer.because === 'authorization' || answer.because === 'visitor'
      // A failure says nothing of what is kept; any other answer has taken its place.
      if (kept === undefined || isOurs || answer.status >= 500 || answer.because === 'slow') return ctx.skip(isOurs ? TRY_AGAIN : RUN_YOURSELF)
      return undefined
    }
    habits.noteKept(key, this.#credentials)
    if (answer.storable === undefined) return undefined
    const { storable } = answer
    const { status, statusMessage } = answer.kind === 'whole' ? answer.head : answer.response.record
    const body = answer.kind === 'whole' ? answer.body : answer.response.body
    const selection: Selection = { key, selecting: answer.selecting, family: familyOf(kept, storable.varies) }
    const search = valueOf(storable.headers, 'no-vary-search')
    if (settings.key === undefined && search !== this.named.search) {
      this.owner.searchRules.learn(pathOf(originOf(this.asked) + this.named.url), search)
      // It was asked for by a rule that does not hold any more.
      if (this.named.search !== undefined) return undefined
    }
    const keeping = keepable(storable, status, statusMessage, body, selection, settings, Date.now())
    if (keeping === undefined) return kept === undefined ? ctx.skip(RUN_YOURSELF) : undefined
    ctx.ttl(keeping.ttlMs)
    ctx.grace(keeping.graceMs)
    if (keeping.groups.length > 0) ctx.tags(keeping.groups)
    remember(keeping.frame, keeping.response)
    return keeping.frame
  }

  /** What another process has stored. How long ago, the cache knows better than the clocks of two machines: by what is left of its time. */
  async #read(found: unknown, key: string): Promise<StoredResponse | undefined> {
    const { cache } = this.owner.settings
    const leftMs = cache.peek(key) === found ? await cache.ttl(key) : undefined
    return decode(found, key, leftMs)
  }

  /** Whether another request has come by the same way for the same response. */
  isAskedBy(other: CachedRequest): boolean {
    const { settings, searchRules } = this.owner
    const named = requestKey(new Asked(other), roomOf(other, settings), settings, searchRules)
    return named?.key === this.named.key && other.baseUrl === this.req.baseUrl
  }

  get req(): CachedRequest {
    return this.asked.req
  }

  /** The URL as the handler is shown it. */
  get url(): string {
    return this.named.url
  }
}

const NO_TAGS: readonly string[] = []

function roomOf(req: CachedRequest, { room }: Settings): string | undefined {
  return typeof room === 'function' ? room(req) : room
}

function tagsOf(req: CachedRequest, { key, base }: RequestKey, { tags }: Settings): readonly string[] {
  const given = typeof tags === 'function' ? tags(req) : (tags ?? NO_TAGS)
  return key === base ? given : [...given, tagOfPath(base)]
}

/** The variants of a URL are of one family as long as it varies by the same. */
function familyOf(kept: StoredResponse | undefined, varies: readonly string[]): string {
  const names = kept?.record.selecting.filter((_, i) => i % 2 === 0) ?? []
  return kept !== undefined && names.length === varies.length && names.every((name, i) => name === varies[i]) ? kept.record.family : varies.length === 0 ? '' : newFamily()
}

function isRoomFor(response: StoredResponse, variant: string, most: number): boolean {
  if (response.variants.has(variant)) return true
  // The one it is kept beside is a variant itself.
  if (response.variants.size + 1 >= most) return false
  response.variants.add(variant)
  return true
}
