export { cacheResponses } from './cache-responses.js'
export { invalidateResponses, type InvalidateResponsesOptions } from './invalidate-responses.js'
export type { CachedRequest, Middleware, Next } from './express-shapes.js'
export type { QueryOption, ResponseCacheOptions } from './options.js'
