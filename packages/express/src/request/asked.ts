import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Addressed, CachedRequest } from '../express-shapes.js'

/**
 * What every request is looked at for, as it was when it came to the cache. It is read once, and by `Reflect.get`: Express changes the prototype of each request, after which
 * V8 knows nothing of its class, and the usual way to read a property is the slowest there is.
 */
export class Asked implements Addressed {
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly originalUrl: string | undefined
  readonly url: string | undefined
  readonly socket: Socket

  constructor(readonly req: CachedRequest) {
    const read = Reflect.get as <Name extends keyof IncomingMessage | 'originalUrl'>(from: CachedRequest, name: Name) => CachedRequest[Name]
    this.method = read(req, 'method')
    this.headers = read(req, 'headers')
    this.originalUrl = read(req, 'originalUrl')
    this.url = read(req, 'url')
    this.socket = read(req, 'socket')
  }
}
