import type { CachedRequest, Middleware } from './http/express-shapes.js'
import type { ResponseCacheOptions } from './options/options.js'

/**
 * Middleware that answers requests from a cache, as RFC 9111 has it for a shared cache.
 *
 * @example
 * app.get('/users/:id', cacheResponses({ cache, ttl: '1m', room: (req) => req.params.id }), show)
 */
export function cacheResponses<Req = CachedRequest>(_options: ResponseCacheOptions<Req>): Middleware {
  return (_req, _res, next) => next()
}
