import type { ServerResponse } from 'node:http'
import type { Head } from '../response/storability.js'
import { isBody, swallow, toBytes } from './body-arguments.js'
import { applyWriteHead, changesSince, headersOf, toList, type HeaderSnapshot } from './outgoing-head.js'

/** What becomes of a response, decided when its head is known. */
export interface Decision {
  /** Whether the client is given it, as it comes. If not, whoever decided answers the client in its place. */
  readonly forwards: boolean
  /** Whether its body is wanted. */
  readonly records: boolean
}

export interface InterceptionOptions {
  /** Most bytes that are recorded; beyond, the body is not wanted. */
  readonly maxBody: number
  /** Called once, at the one point all ways to answer come by. What it throws is thrown at the handler. */
  decide(head: Head): Decision
  /** Called when the head is sent: those in front of us may have added to it. Whether the body is still wanted. */
  confirm(): boolean
  /** Called once, as soon as there is nothing to wait for any more: with the body if it was wanted and is complete. */
  end(body: Buffer | undefined, because: Ending): void
  /** Makes the calls to those in front of us. */
  below<T>(call: () => T): T
}

/** `'complete'`: the handler has answered. `'unwanted'`: nobody wants the body, and the handler may go on. `'broken'`: there is no answer, or half of one. */
export type Ending = 'complete' | 'unwanted' | 'broken'

type Method = (this: ServerResponse, ...args: unknown[]) => unknown

/** How long a handler may go on for a client that has hung up, before others stop waiting for it. */
const AFTER_HANGUP_MS = 1000

/**
 * Stands between a handler and its response.
 *
 * Every way to answer (`send`, `json`, `pipe`, `sendFile`, `flushHeaders`, the error handler) ends in one call of `writeHead`, which is where
 * it is decided what becomes of it: before it nothing is sent, and after it nothing about the head can change. Middleware in front of us
 * has its own patches below ours, and middleware behind us above: what we see is what the handler and those behind us made.
 *
 * The patches stay as they are when it is over, and let everything by: whoever patched on top of them holds on to them.
 */
export class Interception {
  readonly #before: HeaderSnapshot
  readonly #writeHead: Method
  readonly #write: Method
  readonly #end: Method
  #decision: Decision | undefined
  #chunks: Buffer[] = []
  #bytes = 0
  #expected: number | undefined
  /** As it was when the head was known: an error handler that comes later sets another. */
  #status = 0
  #isOver = false
  #isEnding = false
  #isBypassed = false
  readonly #limit: NodeJS.Timeout

  constructor(
    readonly res: ServerResponse,
    private readonly options: InterceptionOptions,
    maxWaitMs: number,
  ) {
    this.#before = headersOf(res)
    this.#writeHead = res.writeHead as unknown as Method
    this.#write = res.write as unknown as Method
    this.#end = res.end as unknown as Method
    const destroy = res.destroy as unknown as Method
    const self = this
    Object.assign(res, {
      writeHead: (...args: unknown[]) => this.#onWriteHead(args),
      write: (...args: unknown[]) => this.#onWrite(args),
      end: (...args: unknown[]) => this.#onEnd(args),
      destroy(this: ServerResponse, ...args: unknown[]) {
        self.#finish(undefined, 'broken')
        return destroy.apply(this, args)
      },
    } satisfies Record<string, Method>)
    // Others wait. A handler that hangs, or streams without an end, must not keep them.
    this.#limit = setTimeout(() => this.#finish(undefined, 'unwanted'), maxWaitMs)
    this.#limit.unref()
    res.once('close', () => this.#onClose())
  }

  /** The headers as they were before the handler. */
  get before(): HeaderSnapshot {
    return this.#before
  }

  /** Lets everything by from now on: for who answers the client in the handler's place. Calls of the handler that are still to come have no effect. */
  takeOver(): { writeHead: Method; end: Method } {
    this.#isBypassed = true
    return { writeHead: this.#writeHead, end: this.#end }
  }

  /** The response turns out not to be one to keep. */
  abandon(): void {
    this.#finish(undefined, 'unwanted')
  }

  #onWriteHead(args: unknown[]): unknown {
    const { res } = this
    if (this.#isOver && this.#decision === undefined) return this.#writeHead.apply(res, args)
    if (this.#isBypassed) return res
    if (this.#decision !== undefined) return this.#onSecondHead(args)
    // Node refuses it, and says so to the handler.
    if (!isStatus(args[0])) return this.#writeHead.apply(res, args)
    const { status, statusMessage } = applyWriteHead(res, args)
    const now = headersOf(res)
    const head: Head = { status, statusMessage: statusMessage ?? (res.req.httpVersionMajor < 2 ? res.statusMessage : undefined) ?? '', headers: toList(now), own: changesSince(this.#before, now) }
    const decision = this.options.decide(head)
    this.#decision = decision
    if (decision.records) this.#expected = lengthOf(now)
    if (decision.forwards) {
      this.options.below(() => this.#writeHead.apply(res, statusMessage === undefined ? [status] : [status, statusMessage]))
      if (decision.records && !this.options.confirm()) this.#finish(undefined, 'unwanted')
    }
    this.#status = res.statusCode
    if (!decision.records && !decision.forwards) this.#finish(undefined, 'complete')
    else if (!decision.records) this.#finish(undefined, 'unwanted')
    return res
  }

  #onSecondHead(args: unknown[]): unknown {
    this.#giveUp()
    return this.#writeHead.apply(this.res, args)
  }

  /** Something failed after the head. Where nothing was sent, the answer of the error handler is the client's. */
  #giveUp(): void {
    if (this.#isOver) return
    this.#finish(undefined, 'broken')
    if (this.#decision?.forwards === false) this.#decision = FORWARD
  }

  #onWrite(args: unknown[]): unknown {
    const { res } = this
    // Over HTTP/2 `end` writes what it is given by `write`. What is no body, Node refuses before it has a head.
    if (this.#isEnding || !isBody(args[0])) return this.#write.apply(res, args)
    this.#beSureOfHead()
    if (this.#isBypassed) return swallow(args, true)
    this.#record(args)
    if (this.#decision?.forwards === false) return swallow(args, true)
    const takesMore = this.options.below(() => this.#write.apply(res, args))
    // Others wait for the rest, and not for a client that reads slowly. It is no more than may be kept.
    return (this.#decision?.records === true && !this.#isOver) || takesMore
  }

  #onEnd(args: unknown[]): unknown {
    const { res } = this
    if (args[0] && typeof args[0] !== 'function' && !isBody(args[0])) return this.#end.apply(res, args)
    if (this.#decision === undefined && !this.#isOver) this.#sayLength(args)
    this.#beSureOfHead()
    if (this.#isBypassed) return swallow(args, res)
    this.#record(args)
    this.#isEnding = true
    const result = this.#decision?.forwards === false ? swallow(args, res) : this.options.below(() => this.#end.apply(res, args))
    if (this.#isOver) return result
    const isWhole = this.#expected === undefined || this.#expected === this.#bytes
    this.#finish(isWhole ? Buffer.concat(this.#chunks, this.#bytes) : undefined, isWhole ? 'complete' : 'broken')
    return result
  }

  /** Node does so too when all of a body comes at once, but not when the head is asked for before. */
  #sayLength([chunk, encoding]: unknown[]): void {
    const { res } = this
    if (res.statusCode < 200 || res.statusCode === 204 || res.statusCode === 304) return
    if (['content-length', 'transfer-encoding', 'trailer'].some((name) => res.hasHeader(name))) return
    res.setHeader('Content-Length', toBytes(chunk, encoding)?.length ?? 0)
  }

  // By the outermost `writeHead`: whoever patched it after us waits for its head too.
  #beSureOfHead(): void {
    if (this.#decision === undefined && !this.#isOver) this.res.writeHead(this.res.statusCode)
  }

  #record([chunk, encoding]: unknown[]): void {
    if (this.#isOver || this.#decision?.records !== true) return
    if (this.res.statusCode !== this.#status) return this.#giveUp()
    const bytes = toBytes(chunk, encoding)
    if (bytes === undefined) return
    this.#bytes += bytes.length
    if (this.#bytes > this.options.maxBody) this.#finish(undefined, 'unwanted')
    else this.#chunks.push(bytes)
  }

  #onClose(): void {
    if (this.#isOver) return
    // The client has hung up. A handler that makes its answer in one piece will still do so; what is piped is not read any more.
    this.res.once('unpipe', () => this.#finish(undefined, 'broken'))
    setTimeout(() => this.#finish(undefined, 'broken'), AFTER_HANGUP_MS).unref()
  }

  #finish(body: Buffer | undefined, because: Ending): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#limit)
    this.#chunks = []
    this.options.end(body, because)
  }
}

const FORWARD: Decision = { forwards: true, records: false }

function isStatus(status: unknown): boolean {
  return Number.isInteger(Number(status)) && Number(status) >= 100 && Number(status) <= 999
}

function lengthOf(headers: HeaderSnapshot): number | undefined {
  const [value] = headers.get('content-length') ?? []
  return value === undefined ? undefined : Number(value)
}
