import { createLLMCache, type LLMCache, type LLMCacheOptions } from '@tiercel/ai'
import { createCache, type Cache } from '@tiercel/core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startUpstream, type Upstream } from '../upstream/index.js'
import { ChatOverOpenAI } from './chat-over-openai.js'

export interface Ground {
  readonly upstream: Upstream
  /** A cache of its own for each test. */
  readonly cache: Cache
  /** One that the whole test shares. */
  readonly llm: LLMCache
  other(options: Partial<LLMCacheOptions>): LLMCache
  model(name?: string, fields?: object): ChatOverOpenAI
}

/** A provider on this machine, and for each test a cache in memory. */
export function useGround(): Ground {
  let upstream: Upstream
  let cache: Cache
  let llm: LLMCache
  const other = (options: Partial<LLMCacheOptions>) => createLLMCache({ cache, scope: 'tenant', ...options })
  beforeAll(async () => {
    upstream = await startUpstream()
  })
  beforeEach(() => {
    cache = createCache({ redis: false })
    llm = other({})
  })
  afterEach(async () => {
    await cache.close()
    upstream.reset()
  })
  afterAll(() => upstream[Symbol.asyncDispose]())
  return {
    get upstream() {
      return upstream
    },
    get cache() {
      return cache
    },
    get llm() {
      return llm
    },
    other,
    model: (name = 'gpt-4o-mini', fields = {}) => new ChatOverOpenAI({ model: name, baseURL: upstream.v1, ...fields }),
  }
}
