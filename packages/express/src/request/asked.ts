import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { CachedRequest } from '../express-shapes.js'

/**
 * What every request is looked at for, read once. Express gives each request a prototype, by which to V8 it is of a class that no request before was of: a property read in the
 * usual way is then looked for by the longest of ways, and `Reflect.get` takes half of that.
 */
export class Asked {
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
