import type { ServerResponse } from 'node:http'
import type { CallOptions, LoadContext } from '@tiercel/core'
import type { CachedRequest, Next } from '../express-shapes.js'
import { clientWishes, type ClientWishes } from '../request/client-wishes.js'
import { preconditionsOf, type Preconditions } from '../request/conditional.js'
import { credentialsOf, type Credentials } from '../request/credentials.js'
import { requestKey, tagOfBase, type RequestKey } from '../request/request-key.js'
import { decode, known, remember } from '../response/decoded-frames.js'
import { keepable, type Selection } from '../response/keeping.js'
import type { StoredResponse } from '../response/stored-response.js'
import { isSelected, newFamily, selectingHeaders, variantKey } from '../response/variants.js'
import { ask, type Answer } from './asking.js'
import { addCacheStatus } from './cache-status.js'
import { askDetached, canDetach } from './detached.js'
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
  readonly #named: RequestKey
  readonly #options: CallOptions
  readonly #credentials: Credentials
  readonly #preconditions: Preconditions | undefined
  readonly #wishes: ClientWishes
  /** A part of a response, its head, or what is expressly wanted from the cache: the handler's answer to that is none to keep. */
  readonly #onlyReads: boolean
  #isAnswered = false

  /** @throws whatever a function among the options throws. */
  static of(owner: ResponseCache, req: CachedRequest, res: ServerResponse, next: Next): Visit | undefined {
    const { settings } = owner
    const room = typeof settings.room === 'function' ? settings.room(req) : settings.room
    const named = requestKey(req, room, settings)
    return named === undefined ? undefined : new Visit(owner, req, res, next, named, room)
  }

  private constructor(
    readonly owner: ResponseCache,
    readonly req: CachedRequest,
    readonly res: ServerResponse,
    private readonly next: Next,
    named: RequestKey,
    room: string | undefined,
  ) {
    const { settings } = owner
    const { headers } = req
    this.#named = named
    this.#options = owner.callOptions(room, tagsOf(this, named))
    this.#credentials = credentialsOf(headers, settings.cookies)
    this.#preconditions = preconditionsOf(headers)
    this.#wishes = clientWishes(headers, settings.obeysClients)
    this.#onlyReads = req.method === 'HEAD' || headers.range !== undefined || this.#wishes.onlyIfCached
  }

  async run(): Promise<void> {
    try {
      await this.#answer()
    } catch (error) {
      this.owner.report(error)
      this.#pass('error')
    }
  }

  async #answer(): Promise<void> {
    const { owner } = this
    if (this.#wishes.noStore || owner.habits.areUnkept(this.#habit())) return this.#pass('unkept')
    let { key } = this.#named
    let waits = 0
    const reads = this.#onlyReads || !owner.admits(key)
    for (;;) {
      const found: unknown = reads ? await this.owner.settings.cache.get(key) : await this.#obtain(key)
      if (this.#isAnswered) return
      if (found instanceof Shared) {
        if (found.excuse !== undefined && this.#maySee(found.excuse)) return this.#serve(found.excuse, 'stale')
        if (!found.triesAgain || ++waits >= MOST_WAITS) return this.#pass('unkept')
        continue
      }
      const response = this.#decode(found, key)
      if (response === undefined) return this.#missing(found !== undefined && !reads ? key : undefined)
      if (!isSelected(response.record, this.req.headers)) {
        // It varies by more than its siblings: it gives way.
        if (key !== this.#named.key) return reads ? this.#missing(undefined) : this.#lead(key, undefined)
        const variant = variantKey(this.#named.key, response.record.family, response.record.selecting, this.req.headers)
        if (!isRoomFor(response, variant, owner.settings.maxVariants)) return this.#pass('variants')
        key = variant
        continue
      }
      return this.#use(response, key)
    }
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
    const staleMs = response.staleMs()
    // One that was made for another and is to be validated at each use.
    if (staleMs >= 0 && staleMs >= response.record.whileRevalidatingMs) return this.#pass('stale')
    if (!this.#wishes.accepts(response)) return this.#onlyReads ? this.#missing(undefined) : this.#lead(key, response)
    if (staleMs < 0) return this.#serve(response, undefined)
    if (canDetach(this.req)) this.#renew(response, key)
    this.#serve(response, 'stale-while-revalidate')
  }

  #maySee({ record }: StoredResponse): boolean {
    return (!this.#credentials.authorization || record.forBearers) && (!this.#credentials.cookie || record.isPublic) && isSelected(record, this.req.headers)
  }

  #serve(response: StoredResponse, detail: string | undefined): void {
    const { req, res } = this
    const { cacheStatus } = this.owner.settings
    this.#isAnswered = true
    const before = detail === undefined ? undefined : headersOf(res)
    try {
      if (cacheStatus !== undefined) {
        const ttl = Math.floor(-response.staleMs() / 1000)
        addCacheStatus(res, cacheStatus, detail === undefined ? { hit: true, ttl } : { hit: true, ttl, detail })
      }
      replay(response, req, res, res, this.#preconditions)
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
    if (this.res.getHeaderNames().length > 0) addCacheStatus(this.res, this.owner.settings.cacheStatus, { hit: false, fwd: 'bypass', detail })
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

  async #load(ctx: LoadContext, key: string, known: StoredResponse | undefined): Promise<unknown> {
    this.#isAnswered = true
    const { req, res, owner } = this
    const kept = known ?? this.#decode(ctx.stale?.value, key)
    const previous = kept !== undefined && isSelected(kept.record, req.headers) ? kept : undefined
    if (previous !== undefined && previous.record.mayBeStale && this.#maySee(previous) && previous.staleMs() < this.#wishes.maxStaleMs) {
      this.#serve(previous, 'max-stale')
      return ctx.skip(RUN_YOURSELF)
    }
    const fwd = known !== undefined ? 'request' : previous !== undefined ? 'stale' : kept !== undefined || key !== this.#named.key ? 'vary-miss' : 'uri-miss'
    const answer = await ask({ req, res, settings: owner.settings, credentials: this.#credentials, preconditions: this.#preconditions, previous, fwd, run: () => this.next() })
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
      habits.noteUnkept(this.#habit())
      const isOurs = answer.because === 'cookie' || answer.because === 'authorization' || answer.because === 'visitor'
      // A failure says nothing of what is kept; any other answer has taken its place.
      if (kept === undefined || isOurs || answer.status >= 500 || answer.because === 'slow') return ctx.skip(isOurs ? TRY_AGAIN : RUN_YOURSELF)
      return undefined
    }
    habits.noteKept(this.#habit())
    if (answer.storable === undefined) return undefined
    const { storable } = answer
    const { status, statusMessage } = answer.kind === 'whole' ? answer.head : answer.response.record
    const body = answer.kind === 'whole' ? answer.body : answer.response.body
    const selection: Selection = { key, selecting: selectingHeaders(this.req.headers, storable.varies), family: familyOf(kept, storable.varies) }
    const keeping = keepable(storable, status, statusMessage, body, selection, settings, Date.now())
    if (keeping === undefined) return kept === undefined ? ctx.skip(RUN_YOURSELF) : undefined
    ctx.ttl(keeping.ttlMs)
    ctx.grace(keeping.graceMs)
    if (keeping.groups.length > 0) ctx.tags(keeping.groups)
    remember(keeping.frame, keeping.response)
    return keeping.frame
  }

  #decode(found: unknown, key: string): StoredResponse | undefined {
    if (!(found instanceof Uint8Array)) return undefined
    return known(found) ?? decode(found, key, (storedAt) => Math.max(0, Date.now() - storedAt))
  }

  /** What is remembered of how it went before: for those with credentials apart, as theirs may be kept for nobody. */
  #habit(): string {
    return this.#credentials.authorization || this.#credentials.cookie ? `${this.#named.key} *` : this.#named.key
  }

  /** The URL as the handler is shown it. */
  get url(): string {
    return this.#named.url
  }
}

function tagsOf({ owner, req }: Visit, { key, base }: RequestKey): readonly string[] {
  const { tags } = owner.settings
  const given = typeof tags === 'function' ? tags(req) : (tags ?? [])
  return key === base ? given : [...given, tagOfBase(base)]
}

/** The variants of a URL are of one family as long as it varies by the same. */
function familyOf(kept: StoredResponse | undefined, varies: readonly string[]): string {
  const names = kept?.record.selecting.filter((_, i) => i % 2 === 0) ?? []
  return kept !== undefined && names.length === varies.length && names.every((name, i) => name === varies[i]) ? kept.record.family : newFamily()
}

function isRoomFor(response: StoredResponse, variant: string, most: number): boolean {
  if (response.variants.has(variant)) return true
  // The one it is kept beside is a variant itself.
  if (response.variants.size + 1 >= most) return false
  response.variants.add(variant)
  return true
}
