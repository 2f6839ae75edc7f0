import { optionsIn } from '../fetch/call-header.js'
import { ownHeadersOf } from '../fetch/http-head.js'
import { requestOf } from '../fetch/http-request.js'
import { field, isObject, numberOf, objectsOf, type Json } from '../fetch/json.js'
import { embedEach, type Embedded, type Value, type Vectors } from './embed-each.js'
import type { Engine } from '../engine.js'
import type { HttpCall } from '../fetch/http-call.js'
import type { Route } from '../fetch/llm-fetch.js'

/** Part of the question, but for each value by itself, and how its vector is written. */
const protocol = {
  kind: 'embeddings',
  inputOf(body: Json): Json | undefined {
    // Bytes that are no floats cannot be told from floats.
    if (body.encoding_format === 'base64' && (body.output_dtype ?? 'float') !== 'float') return undefined
    return Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'input' && name !== 'encoding_format'))
  },
}

/** What a provider says that is no vectors: given as it is to all who waited for them. */
class NotEmbedded extends Error {
  constructor(
    readonly response: Response,
    readonly body: ArrayBuffer,
  ) {
    super('The provider gave no vectors')
  }
}

/** Answers requests for embeddings as OpenAI and many others take them, each text or list of tokens by itself. */
export function embeddingsRoute(engine: Engine): Route {
  return {
    path: '/embeddings',
    async answer(call, headers) {
      const values = valuesIn(call.body.input)
      const request = requestOf(call, protocol)
      const signal = call.signal ?? new AbortController().signal
      if (values === undefined || request === undefined) return call.send(signal)
      const own: Response[] = []
      let tokens = 0
      try {
        const embedded = await embedEach<Value>(engine, {
          request,
          values,
          ask: async (missing, signalOfAll) => {
            const response = await call.send(signalOfAll, { ...call.body, input: missing })
            const vectors = await vectorsIn(response)
            own.push(response)
            tokens += vectors.tokens ?? 0
            return vectors
          },
          options: optionsIn(headers),
          signal: call.signal,
        })
        return responseOf(call, embedded, own.at(-1), engine.settings.hidesUsage ? tokens : tokens + embedded.savedTokens)
      } catch (error) {
        if (!(error instanceof NotEmbedded)) throw error
        // In a form that is not understood it may be only a part of what was asked for.
        return error.response.ok ? call.send(signal) : new Response(error.body, { status: error.response.status, headers: ownHeadersOf(error.response) })
      }
    },
  }
}

/** One value, or several: a text, or its tokens. `undefined` for what is neither. */
function valuesIn(input: unknown): Value[] | undefined {
  if (isValue(input)) return [input]
  return Array.isArray(input) && input.length > 0 && input.every(isValue) ? input : undefined
}

function isValue(value: unknown): value is Value {
  return typeof value === 'string' || (Array.isArray(value) && value.length > 0 && value.every((token) => typeof token === 'number'))
}

async function vectorsIn(response: Response): Promise<Vectors> {
  const bytes = await response.arrayBuffer()
  const body = response.ok ? parsed(bytes) : undefined
  const vectors = objectsOf(body?.data)
    .toSorted((one, other) => numberOf(one.index) - numberOf(other.index))
    .map(({ embedding }) => vectorIn(embedding))
  if (vectors.length === 0 || !vectors.every((vector) => vector !== undefined)) throw new NotEmbedded(response, bytes)
  return { vectors, tokens: numberOf(field(body?.usage, 'prompt_tokens')) }
}

function vectorIn(embedding: unknown): ArrayLike<number> | undefined {
  if (Array.isArray(embedding)) return embedding.every((each) => typeof each === 'number') ? embedding : undefined
  if (typeof embedding !== 'string') return undefined
  const bytes = Buffer.from(embedding, 'base64')
  return bytes.length % 4 === 0 ? Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)) : undefined
}

function parsed(bytes: ArrayBuffer): Json | undefined {
  try {
    const body: unknown = JSON.parse(Buffer.from(bytes).toString())
    return isObject(body) ? body : undefined
  } catch {
    return undefined
  }
}

function responseOf({ body }: HttpCall, { vectors, hits, savedTokens }: Embedded, own: Response | undefined, tokens: number): Response {
  const headers = own === undefined ? new Headers() : ownHeadersOf(own)
  headers.set('content-type', 'application/json')
  headers.append('cache-status', `tiercel-llm; ${own === undefined ? 'hit' : 'fwd=miss'}`)
  if (hits > 0) headers.set('x-tiercel-llm-saved', `input=${savedTokens}, output=0`)
  const write = (vector: Float32Array) => (body.encoding_format === 'base64' ? Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64') : [...vector])
  const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: write(vector) }))
  return new Response(JSON.stringify({ object: 'list', data, model: body.model, usage: { prompt_tokens: tokens, total_tokens: tokens } }), { headers })
}
