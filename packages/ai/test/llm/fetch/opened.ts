import Anthropic from '@anthropic-ai/sdk'
import { createCache, type Cache } from '@tiercel/core'
import OpenAI from 'openai'
import { createLLMCache, type LLMCache, type LLMCacheOptions } from '../../../src/index.js'
import { startUpstream, type Upstream } from '../upstream/index.js'

export interface Clients {
  readonly openai: OpenAI
  readonly anthropic: Anthropic
}

/** A provider, a cache before it, and the clients of both kinds. */
export interface Opened extends Clients, AsyncDisposable {
  readonly upstream: Upstream
  readonly cache: Cache
  readonly llm: LLMCache
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Past the cache. */
  readonly direct: Clients
  /** Posts JSON to the provider, through the cache. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>
  /** Resolves once so many answers were stored. */
  stored(answers: number): Promise<void>
}

export async function open(options: Partial<LLMCacheOptions> = {}): Promise<Opened> {
  const upstream = await startUpstream()
  const cache = options.cache ?? createCache({ redis: false })
  const llm = createLLMCache({ scope: 'public', ...options, cache })
  const fetch = llm.fetch()
  let sets = 0
  const waiting = new Set<() => void>()
  cache.on('set', () => {
    sets++
    for (const look of waiting) look()
  })
  return {
    upstream,
    cache,
    llm,
    fetch,
    ...clientsOf(upstream, { fetch }),
    direct: clientsOf(upstream, {}),
    post: (path, body, init = {}) => fetch(`${upstream.v1}${path}`, { method: 'POST', body: JSON.stringify(body), ...init, headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) } }),
    stored: (answers) =>
      new Promise((resolve) => {
        const look = () => {
          if (sets < answers) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    async [Symbol.asyncDispose]() {
      await cache.close()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

function clientsOf(upstream: Upstream, more: { fetch?: Opened['fetch'] }): Clients {
  const options = { apiKey: 'sk-test', maxRetries: 0, ...more }
  return { openai: new OpenAI({ baseURL: upstream.v1, ...options }), anthropic: new Anthropic({ baseURL: upstream.url, ...options }) }
}

const asked = [{ role: 'user' as const, content: 'The capital of France?' }]

/** What to ask each API, and where. */
export const apis = {
  chat: { path: '/chat/completions', body: { model: 'gpt-4o-mini', messages: asked } },
  responses: { path: '/responses', body: { model: 'gpt-5-mini', input: 'The capital of France?' } },
  messages: { path: '/messages', body: { model: 'claude-sonnet-4-5', max_tokens: 100, messages: asked } },
}

export type Api = keyof typeof apis
