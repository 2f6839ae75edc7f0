export { createMessageCache, type MessageCache, type MessageCacheOptions } from './message-cache.js'
export { createQueryCache, type QueryCache, type QueryCacheOptions, type QueryOptions } from './query-cache.js'
