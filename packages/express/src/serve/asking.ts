import type { ServerResponse } from 'node:http'
import type { CachedRequest } from '../express-shapes.js'
import { valueOf, type HeaderList } from '../fields/header-list.js'
import { isNotModified, type Preconditions } from '../request/conditional.js'
import type { Credentials } from '../request/credentials.js'
import { renewedHeaders } from '../response/renewal.js'
import { isForOneVisitor, storabilityOf, type Head, type Storable } from '../response/storability.js'
import { StoredResponse } from '../response/stored-response.js'
import { selectingHeaders } from '../response/variants.js'
import { validatorsOf } from '../response/validators.js'
import type { Settings } from '../settings.js'
import type { Handling } from './cache-status.js'
import { HandlerView } from './handler-view.js'
import { Interception, type Decision } from './interception.js'
import { headersOf, restoreHeaders, toList } from './outgoing-head.js'
import { replay } from './replay.js'

/** What became of a run of the handler. */
export type Answer =
  | { readonly kind: 'whole'; readonly storable: Storable; readonly selecting: HeaderList; readonly head: Head; readonly body: Buffer }
  /** The previous response is still good, with these headers; it cannot be kept any longer when there is no `storable`. */
  | { readonly kind: 'renewed'; readonly storable: Storable | undefined; readonly selecting: HeaderList; readonly response: StoredResponse }
  /** The handler failed, and the previous response was served in its place. */
  | { readonly kind: 'excused'; readonly previous: StoredResponse }
  /** The response is for the one who asked. */
  | { readonly kind: 'not-kept'; readonly because: string; readonly status: number }
  /** There was none, or half of one. */
  | { readonly kind: 'broken' }

export interface Question {
  readonly req: CachedRequest
  readonly res: ServerResponse
  readonly settings: Settings
  readonly credentials: Credentials
  readonly preconditions: Preconditions | undefined
  /** What is kept, and not good any more without the handler's word. */
  readonly previous: StoredResponse | undefined
  readonly fwd: 'uri-miss' | 'vary-miss' | 'request' | 'stale'
  /** Runs the handler. */
  run(): void
}

/** Failures behind which a stale response may be served (RFC 5861, section 4). */
const FAILURES = new Set([500, 502, 503, 504])

/** Runs the handler for a response that may be kept, and answers the client. */
export function ask(question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    try {
      new Asking(question, resolve).begin()
    } catch (error) {
      reject(error)
    }
  })
}

class Asking {
  readonly #question: Question
  readonly #view: HandlerView
  readonly #interception: Interception
  #head: Head | undefined
  #storable: Storable | string = 'broken'
  /** What the client is given when the handler has answered. */
  #instead: 'renewed' | 'excused' | 'not-modified' | undefined

  constructor(question: Question, private readonly resolve: (answer: Answer) => void) {
    const { req, res, settings, previous } = question
    this.#question = question
    this.#view = new HandlerView(req, settings, previous === undefined ? undefined : validatorsOf(previous.record.headers))
    this.#interception = new Interception(res, { maxBody: settings.maxBody, decide: (head) => this.#decide(head), end: (body, because) => this.#end(body, because), below: (call) => this.#view.unwatched(call), confirm: () => this.#confirm() }, settings.maxWaitMs)
  }

  begin(): void {
    this.#question.run()
  }

  #decide(head: Head): Decision {
    const { previous, credentials, settings, preconditions, res } = this.#question
    this.#head = head
    if (previous !== undefined && head.status === 304 && validatorsOf(previous.record.headers) !== undefined) {
      this.#instead = 'renewed'
      return { forwards: false, records: false }
    }
    if (previous !== undefined && FAILURES.has(head.status) && previous.staleMs() <= previous.record.ifErrorMs) {
      this.#instead = 'excused'
      return { forwards: false, records: false }
    }
    this.#storable = this.#view.isPersonal ? 'visitor' : storabilityOf(head, credentials, settings, Date.now())
    const isTooLarge = Number(valueOf(head.headers, 'content-length') ?? 0) > settings.maxBody
    if (isTooLarge && typeof this.#storable !== 'string') this.#storable = 'too-large'
    const records = typeof this.#storable !== 'string'
    // What is kept may go on being written for long, and must go on not to be about this visitor.
    if (!records) this.#view.restore()
    this.#tell(records ? { hit: false, fwd: this.#question.fwd, stored: true } : { hit: false, fwd: this.#question.fwd, detail: String(this.#storable) })
    if (preconditions === undefined || !isNotModified(preconditions, head.status, head.headers)) return { forwards: true, records }
    res.removeHeader('content-length')
    this.#instead = 'not-modified'
    return { forwards: false, records }
  }

  /** Middleware in front of us adds its headers at the last moment, and a session is among them. */
  #confirm(): boolean {
    const { res, settings } = this.#question
    return !isForOneVisitor(toList(headersOf(res)), settings.targeted)
  }

  #end(body: Buffer | undefined, because: 'complete' | 'unwanted' | 'broken'): void {
    this.#view.restore()
    try {
      const answer = this.#answer(body, because)
      if (this.#instead !== undefined && because !== 'broken') this.#answerInstead(answer)
      this.resolve(answer.kind === 'whole' && !this.#confirm() ? { kind: 'not-kept', because: 'private', status: answer.head.status } : answer)
    } catch {
      // What is kept cannot be sent: the client is told so, and it is not kept any longer.
      if (!this.#question.res.headersSent) this.#question.res.statusCode = 500
      this.#interception.takeOver().end.call(this.#question.res)
      this.resolve({ kind: 'not-kept', because: 'unusable', status: 200 })
    }
  }

  #answer(body: Buffer | undefined, because: 'complete' | 'unwanted' | 'broken'): Answer {
    const { previous, settings, credentials } = this.#question
    const head = this.#head
    if (because === 'broken' || (head === undefined && because === 'complete')) return { kind: 'broken' }
    if (head === undefined) return { kind: 'not-kept', because: 'slow', status: 200 }
    if (previous !== undefined && this.#instead === 'excused') return { kind: 'excused', previous }
    if (previous !== undefined && this.#instead === 'renewed') {
      const { record } = previous
      const headers = renewedHeaders(record.headers, head.own)
      const merged: Head = { status: record.status, statusMessage: record.statusMessage, headers: renewedHeaders(record.headers, head.headers), own: headers }
      const verdict = this.#view.isPersonal ? 'visitor' : storabilityOf(merged, credentials, settings, Date.now())
      const storable = typeof verdict === 'string' ? undefined : verdict
      const response = new StoredResponse({ ...record, initialAgeMs: 0, ...storable?.lifetime, headers: storable?.headers ?? headers }, previous.body, previous.length, 0)
      return { kind: 'renewed', response, storable, selecting: this.#selecting(storable) }
    }
    if (typeof this.#storable === 'string') return { kind: 'not-kept', because: this.#storable, status: head.status }
    if (this.#view.isPersonal) return { kind: 'not-kept', because: 'visitor', status: head.status }
    if (body === undefined) return { kind: 'not-kept', because: 'too-large', status: head.status }
    return { kind: 'whole', storable: this.#storable, selecting: this.#selecting(this.#storable), head, body }
  }

  /** By what the handler was shown, which need not be what a visitor has sent. */
  #selecting(storable: Storable | undefined): HeaderList {
    return selectingHeaders(this.#question.req.headers, storable?.varies ?? [])
  }

  #answerInstead(answer: Answer): void {
    const { req, res, preconditions } = this.#question
    const { writeHead, end } = this.#interception.takeOver()
    const sink = { writeHead: (...args: unknown[]) => writeHead.apply(res, args), end: (...args: unknown[]) => end.apply(res, args) }
    if (answer.kind === 'renewed') {
      this.#tell({ hit: false, fwd: 'stale', fwdStatus: 304, stored: answer.storable !== undefined })
      clearStatusMessage(req, res)
      replay(answer.response, req, res, sink, preconditions)
    } else if (answer.kind === 'excused') {
      restoreHeaders(res, this.#interception.before)
      clearStatusMessage(req, res)
      this.#tell({ hit: true, ttl: -Math.floor(answer.previous.staleMs() / 1000), detail: `stale-after-${this.#head?.status}` })
      replay(answer.previous, req, res, sink, preconditions)
    } else {
      sink.writeHead(304)
      sink.end()
    }
  }

  #tell(handling: Handling): void {
    const { res, settings } = this.#question
    if (!res.headersSent) settings.cacheStatus?.add(res, handling)
  }
}


/** An error handler has set that of its error. */
function clearStatusMessage(req: CachedRequest, res: ServerResponse): void {
  if (req.httpVersionMajor < 2) res.statusMessage = ''
}
