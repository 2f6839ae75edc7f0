import { createCache } from '@tiercel/core'
import { createLLMCache, type LLMCacheOptions } from '../../../src/index.js'

const question = { model: 'm', messages: [{ role: 'user', content: 'The capital of France?' }] }

/** A stream of server-sent events, of which those that are no text are sent as JSON. */
export function sse(...events: readonly unknown[]): string {
  return events.map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`)).join('')
}

/** A cache before a provider that answers everything with the same words. */
export function answered(body: string | (() => ConstructorParameters<typeof Response>[0]), contentType = 'application/json', options: Partial<LLMCacheOptions> = {}) {
  const calls: Request[] = []
  const cache = createCache({ redis: false })
  const llm = createLLMCache({ scope: 'public', cache, ...options })
  const fetch = llm.fetch(async (input, init) => {
    calls.push(new Request(input, init))
    return new Response(typeof body === 'string' ? body : body(), { headers: { 'content-type': contentType } })
  })
  const ask = (more: object = {}, path = 'chat/completions', init: RequestInit = {}) =>
    fetch(`https://api.test/v1/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...question, ...more }), ...init })
  return { llm, fetch, ask, calls, [Symbol.asyncDispose]: () => cache.close() }
}
