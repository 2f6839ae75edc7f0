import { createCache } from '@tiercel/core'
import { Engine } from './engine.js'
import { LLMCache } from './llm-cache.js'
import { resolveOptions, type LLMCacheOptions } from './options.js'

/**
 * Makes a cache for calls of language models.
 *
 * Answers are stored as plain text unless the cache they are in encrypts: give `encryption` to the `createCache` that makes it, or here for a cache of its own. Each is then
 * bound to its key, in which the scope is, so that no answer can be moved to another.
 *
 * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
 * @example
 * const llm = createLLMCache({ cache, scope: () => requestContext.getStore()?.tenantId, ttl: '1d' })
 */
export function createLLMCache(options: LLMCacheOptions): LLMCache {
  const settings = resolveOptions(options)
  if (settings.cache !== undefined) return new LLMCache(new Engine(settings, settings.cache.namespace(settings.namespace)), undefined)
  const own = createCache(settings.own)
  try {
    return new LLMCache(new Engine(settings, own.namespace(settings.namespace)), own)
  } catch (error) {
    void own.close()
    throw error
  }
}
