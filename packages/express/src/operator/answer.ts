import type { IncomingMessage, ServerResponse } from 'node:http'

/** An answer: as JSON, unless it says what type its text has. */
export type Answer = { readonly status: number } & ({ readonly body: unknown } | { readonly type: string; readonly text: string })

export const refusal = (status: number, message: string, code?: string): Answer => ({ status, body: { error: { code, message } } })

/** Nothing of it may be kept by anybody: it is true for a moment, and for one reader. */
export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  // The client may have gone, or the application have answered by itself.
  if (response.headersSent || response.destroyed) return
  const [type, text] = 'text' in answer ? [answer.type, answer.text] : ['application/json; charset=utf-8', JSON.stringify(answer.body)]
  response.statusCode = answer.status
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  // What is left of a body that nobody reads must not be taken for the next request.
  if (!request.complete && request.method !== 'GET' && request.method !== 'HEAD') response.setHeader('Connection', 'close')
  response.end(request.method === 'HEAD' ? undefined : text)
}
