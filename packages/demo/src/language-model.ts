import type { LLMCache } from '@tiercel/ai'
import { Router } from 'express'
import { OpenAI } from 'openai'

/** A language model over HTTP, asked through the cache. */
export interface LanguageModel {
  readonly client: OpenAI
  readonly model: string
  /** How often it was asked. */
  readonly calls: number
}

/** The stand-in that the environment names; else that of OpenAI, or of whoever OPENAI_BASE_URL names, by OPENAI_API_KEY. */
export function modelBehind(llm: LLMCache, env: NodeJS.ProcessEnv): LanguageModel {
  const standIn = env['STAND_IN_MODEL']
  let calls = 0
  // Between the cache and the model: what the cache answers does not come by here.
  const counted: typeof fetch = (...request) => {
    calls += 1
    return fetch(...request)
  }
  const apiKey = standIn ? 'none' : env['OPENAI_API_KEY']
  const baseURL = standIn ?? env['OPENAI_BASE_URL']
  return {
    client: new OpenAI({ apiKey, baseURL, fetch: llm.fetch(counted) }),
    model: standIn ? 'stand-in' : (env['OPENAI_MODEL'] ?? 'gpt-5-mini'),
    get calls() {
      return calls
    },
  }
}

/** A chat endpoint that sends each word of the model as it comes, and does not know that there is a cache. */
export function questionRoutes({ client, model }: LanguageModel): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    const question = String(request.query['q'] ?? '').slice(0, 200)
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const stream = await client.chat.completions.create(
      {
        model,
        messages: [
          { role: 'system', content: 'You answer questions about cities, in one sentence.' },
          { role: 'user', content: question },
        ],
        stream: true,
        stream_options: { include_usage: true },
      },
      { signal: gone.signal },
    )
    response.type('text/plain')
    for await (const { choices } of stream) response.write(choices[0]?.delta.content ?? '')
    response.end()
  })

  return router
}
