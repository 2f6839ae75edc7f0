import type { Answer } from '../answer.js'
import { parseEvents } from './events.js'
import type { HttpCall } from './http-call.js'
import { ownHeadersOf, type HttpHead } from './http-head.js'
import type { Protocol } from './protocol.js'

const NAME = 'tiercel-llm'
/** For `Cache-Status`: https://www.rfc-editor.org/rfc/rfc9211 */
const STATUS = { hit: 'hit', miss: 'fwd=miss', joined: 'fwd=miss; collapsed', bypass: 'fwd=bypass' } as const

/**
 * The response to a call, in the form it asked for.
 *
 * @param own What the provider answered to this very call.
 */
export async function responseOf(answer: Answer<Uint8Array, Uint8Array>, { url, body }: HttpCall, protocol: Protocol, own: Response | undefined): Promise<Response> {
  const { status, headers: kept, isOpaque } = answer.head as HttpHead
  const form = isOpaque ? answer.form : body.stream === true ? 'parts' : 'whole'
  const headers = own === undefined ? new Headers(kept as [string, string][]) : ownHeadersOf(own)
  if (form !== answer.form) headers.set('content-type', form === 'parts' ? 'text/event-stream; charset=utf-8' : 'application/json')
  headers.append('cache-status', `${NAME}; ${STATUS[answer.served]}`)
  if (answer.served === 'hit') headers.set('age', String(Math.floor(answer.ageMs / 1000)))
  if (answer.saving !== undefined) {
    const { inputTokens, outputTokens, cost } = answer.saving
    headers.set('x-tiercel-llm-saved', `input=${inputTokens}, output=${outputTokens}${cost === undefined ? '' : `, cost=${cost}`}`)
  }
  const made = (content: ConstructorParameters<typeof Response>[0]) => fromAddress(new Response(content, { status, headers, statusText: own?.statusText ?? '' }), own?.url || url.href)
  if (status === 204 || status === 205 || status === 304) {
    answer.cancel()
    return made(null)
  }
  if (form === 'whole') return made(await answer.whole())
  const hides = own === undefined && !protocol.wantsUsage(body) ? (part: Uint8Array) => isUsageOnly(part, protocol) : () => false
  return made(streamOf(answer.parts(), hides))
}

/** A response that is made has no address, and clients name it in what they say of one. */
function fromAddress(response: Response, url: string): Response {
  return Object.defineProperty(response, 'url', { value: url })
}

function streamOf(parts: AsyncIterator<Uint8Array, undefined>, hides: (part: Uint8Array) => boolean): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await parts.next()
          if (done) return controller.close()
          if (hides(value)) continue
          return controller.enqueue(value)
        }
      },
      async cancel() {
        await parts.return?.()
      },
    },
    // Nothing is read that nobody asks for: then it is known who is still there.
    { highWaterMark: 0 },
  )
}

/** What is not understood is not left out. */
function isUsageOnly(part: Uint8Array, protocol: Protocol): boolean {
  try {
    const events = parseEvents(new TextDecoder().decode(part))
    return events.length > 0 && events.every((event) => protocol.isUsageOnly(event))
  } catch {
    return false
  }
}
