import { aiCacheService } from './service/open.js'

export { aiCacheService, createAICacheService, redisAICacheService } from './service/open.js'
export type { AICacheService } from './service/ai-cache-service.js'
export type { AsyncAICacheService } from './service/async-ai-cache-service.js'
export type { AICacheLogger, AICacheOptions } from './service/options.js'
export type { Untyped } from './service/face.js'
export type { AICacheStats, FamilyName, FamilyStats } from './families/index.js'

// The modules this one replaces are imported so.
export default aiCacheService
