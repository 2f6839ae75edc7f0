export { cacheResponses } from './cache-responses.js'
export { invalidateResponses, type InvalidateResponsesOptions } from './invalidate-responses.js'
export type { CachedRequest, CachedResponse, Middleware, Next } from './http/express-shapes.js'
export type { QueryOption, ResponseCacheOptions } from './options/options.js'
