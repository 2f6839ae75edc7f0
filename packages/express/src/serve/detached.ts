import { IncomingMessage, ServerResponse, type IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { CachedRequest, Next } from '../express-shapes.js'
import { cookiesNamed } from '../request/credentials.js'
import { forwardedHeaders } from '../request/forwarding.js'
import type { StoredResponse } from '../response/stored-response.js'
import { rootOf } from './application.js'
import { ask, type Answer } from './asking.js'
import type { ResponseCache } from './response-cache.js'
import type { Visit } from './visit.js'

/** A run of the handler that no visitor waits for. */
interface DetachedRun {
  /** The request has come to a cache. */
  arrive(owner: ResponseCache, res: ServerResponse, next: Next): void
}

const runs = new WeakMap<IncomingMessage, DetachedRun>()

/** The run a request was made for. */
export function detachedRunOf(req: IncomingMessage): DetachedRun | undefined {
  return runs.get(req)
}

const NOBODY: Answer = { kind: 'broken' }

/**
 * Sends a request through the application as if somebody had asked, with nothing in it but what belongs to the key: no cookies that do not count, no `Authorization`, no conditions but
 * those of what is kept. So that it comes to the handler by the same way, through everything in front of it.
 */
export function askDetached(visit: Visit, previous: StoredResponse): Promise<Answer> {
  const { owner, req, url } = visit
  const { settings } = owner
  const socket = new NoSocket(req.socket) as unknown as Socket
  const shadow = new IncomingMessage(socket)
  Object.assign(shadow, { method: 'GET', url, headers: headersFor(req, previous, owner), httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: true })
  shadow.push(null)
  const res = new ServerResponse(shadow)
  res.assignSocket(socket)
  const answered = new Promise<Answer>((resolve, reject) => {
    setTimeout(resolve, settings.maxWaitMs, NOBODY).unref()
    // Refused on its way, by somebody who asks for credentials: then there is no answer to keep.
    res.once('finish', () => setImmediate(resolve, NOBODY))
    const credentials = { authorization: false, cookie: false, handlerSeesCookies: settings.cookies === undefined }
    const arrive = (there: ResponseCache, shadowRes: ServerResponse, next: Next): void => {
      if (there !== owner) return next()
      // By what it does not carry it may have become another one: its answer must not be kept as that of this one.
      if (!visit.isAskedBy(shadow as CachedRequest)) return resolve(NOBODY)
      resolve(ask({ req: shadow as CachedRequest, res: shadowRes, settings, credentials, preconditions: undefined, previous, fwd: 'stale', run: () => next() }))
    }
    runs.set(shadow, { arrive })
    try {
      rootOf(req)?.(shadow, res)
    } catch (error) {
      reject(error)
    }
  })
  return answered.finally(() => socket.destroy())
}

function headersFor({ headers }: CachedRequest, previous: StoredResponse, { settings }: ResponseCache): IncomingHttpHeaders {
  const shown: IncomingHttpHeaders = forwardedHeaders(headers)
  if (headers.host !== undefined) shown.host = headers.host
  const names = new Set([...settings.vary, ...previous.record.selecting.filter((_, i) => i % 2 === 0)])
  for (const name of names) if (Object.hasOwn(headers, name)) shown[name] = headers[name]
  const cookies = cookiesNamed(headers.cookie, settings.cookies ?? [])
  if (cookies !== '') shown.cookie = cookies
  return shown
}

/** Swallows what is sent. */
class NoSocket extends Duplex {
  readonly remoteAddress: string | undefined
  readonly remoteFamily: string | undefined

  /** Comes from where a visitor does: from this machine itself it might be trusted with more, and from nowhere a proxy's word would not be. */
  constructor(visitors: Socket) {
    super()
    this.remoteAddress = visitors.remoteAddress
    this.remoteFamily = visitors.remoteFamily
    if ('encrypted' in visitors) Object.assign(this, { encrypted: true })
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done()
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }
}
