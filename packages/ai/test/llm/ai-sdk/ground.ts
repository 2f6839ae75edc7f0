import { createOpenAI } from '@ai-sdk/openai'
import { createLLMCache, type LLMCache, type LLMCacheOptions } from '@tiercel/ai'
import { createCache, type Cache } from '@tiercel/core'
import { wrapLanguageModel } from 'ai'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startUpstream, type Upstream } from '../upstream/index.js'

export interface Ground {
  readonly upstream: Upstream
  /** A cache of its own for each test. */
  readonly cache: Cache
  llm(options?: Partial<LLMCacheOptions>): LLMCache
  /** A model of the AI SDK behind `llm`, which by default is one that the whole test shares. */
  model(id?: string, about?: { readonly api?: 'chat' | 'responses'; readonly llm?: LLMCache; readonly providerTools?: 'bypass' | 'cache' }): ReturnType<typeof wrapLanguageModel>
}

/** A provider on this machine, and for each test a cache in memory. */
export function useGround(): Ground {
  let upstream: Upstream
  let cache: Cache
  let shared: LLMCache | undefined
  beforeAll(async () => {
    upstream = await startUpstream()
  })
  beforeEach(() => {
    cache = createCache({ redis: false })
  })
  afterEach(async () => {
    shared = undefined
    await cache.close()
    upstream.reset()
  })
  afterAll(() => upstream[Symbol.asyncDispose]())
  const llm = (options: Partial<LLMCacheOptions> = {}) => createLLMCache({ cache, scope: 'tenant', ...options })
  return {
    get upstream() {
      return upstream
    },
    get cache() {
      return cache
    },
    llm,
    model(id = 'gpt-4o-mini', { api = 'chat', llm: given, providerTools } = {}) {
      const openai = createOpenAI({ baseURL: upstream.v1, apiKey: 'sk-test' })
      return wrapLanguageModel({ model: openai[api](id), middleware: (given ?? (shared ??= llm())).middleware({ providerTools }) })
    },
  }
}
