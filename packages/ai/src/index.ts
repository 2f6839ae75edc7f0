import { aiCacheService } from './service/open.js'

export { aiCacheService, createAICacheService, redisAICacheService } from './service/open.js'
export type { AICacheService } from './service/ai-cache-service.js'
export type { AsyncAICacheService } from './service/async-ai-cache-service.js'
export type { AICacheLogger, AICacheOptions } from './service/options.js'
export type { Untyped } from './service/face.js'
export type { AICacheStats, FamilyName, FamilyStats } from './families/index.js'
export { createLLMCache } from './llm/create-llm-cache.js'
export type { LLMCache, LLMInvalidateTarget } from './llm/llm-cache.js'
export type { LLMCacheOptions } from './llm/options.js'
export type { LLMCallOptions } from './llm/call-options.js'
export type { CompleteAnswer, PolicyOptions } from './llm/policy.js'
export type { RefusalReason } from './llm/refusal.js'
export type { AboutCall, LLMCacheEventName, LLMCacheEvents, LLMCacheListener, LLMCacheStats } from './llm/figures.js'
export type { HttpAsked } from './llm/fetch/asked.js'
export type { ModelRequest } from './llm/request.js'
export type { Price, Prices, Saving, Usage } from './llm/usage.js'
export type { LLMWrapOptions, LLMWrapped } from './llm/wrap/wrap-function.js'
export type { WrapOutcome } from './llm/wrap/value-wire.js'
export type { FinishReason } from './llm/wire.js'

// The modules this one replaces are imported so.
export default aiCacheService
