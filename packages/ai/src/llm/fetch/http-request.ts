import type { ModelRequest } from '../request.js'
import type { HttpCall } from './http-call.js'
import { textOf } from './json.js'
import type { Protocol } from './protocol.js'

/** How an answer is sent, who asks, what is booked: nothing of it changes what a model says. */
const NOT_ASKED = new Set(['stream', 'stream_options', 'user', 'safety_identifier', 'metadata', 'prompt_cache_key', 'prompt_cache_retention', 'service_tier', 'store', 'model'])
/** Headers that do. */
const ASKED = ['anthropic-version', 'anthropic-beta', 'openai-beta', 'openai-organization', 'openai-project']
const CREDENTIALS = /^(?:key|api[-_]?key|subscription-key|access_token|token|code|sig|signature)$/i

/** What is asked of a model by an HTTP call; `undefined` for what is not to be cached. */
export function requestOf({ url, headers, body }: Pick<HttpCall, 'url' | 'headers' | 'body'>, protocol: Pick<Protocol, 'kind' | 'inputOf'>): ModelRequest | undefined {
  const input = protocol.inputOf(Object.fromEntries(Object.entries(body).filter(([name]) => !NOT_ASKED.has(name))))
  if (input === undefined) return undefined
  const said = Object.fromEntries(ASKED.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)]] : [])))
  const { model } = body
  // Neither a field of the body with that name is lost, nor a model whose id is no text.
  const asked = input.headers === undefined ? said : [said, input.headers]
  return { provider: addressOf(url), model: textOf(model), kind: protocol.kind, input: { ...input, headers: asked, ...(typeof model === 'string' ? {} : { model }) } }
}

/** Where the model is, without what only opens the door. */
function addressOf(url: URL): string {
  const query = [...url.searchParams].filter(([name]) => !CREDENTIALS.test(name)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `${url.origin}${url.pathname}${query.length > 0 ? `?${new URLSearchParams(query)}` : ''}`
}
