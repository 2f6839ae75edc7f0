export { cacheDelete, cacheDeletePattern, cacheGet, cacheSet } from './cache-helpers.js'
export { createRedisService, redisService, type RedisService } from './redis-service.js'
