import type { CachedRequest, Middleware } from './express-shapes.js'
import type { ResponseCacheOptions } from './options.js'
import { ResponseCache } from './serve/response-cache.js'
import { resolveSettings } from './settings.js'

/**
 * Middleware that answers requests from a cache, as RFC 9111 has it for a shared cache. What the cache cannot answer, it leaves to the handler; and so it
 * does when anything goes wrong in it.
 *
 * @throws {InvalidOptionError} for options that do not exist or cannot be.
 * @example
 * app.get('/users/:id', cacheResponses({ cache, ttl: '1m', room: (req) => req.params.id }), show)
 */
export function cacheResponses<Req = CachedRequest>(options: ResponseCacheOptions<Req>): Middleware {
  const responses = new ResponseCache(resolveSettings(options))
  return (req, res, next) => responses.handle(req as CachedRequest, res, next)
}
