import type { IncomingMessage, ServerResponse } from 'node:http'

/** A middleware for `app.use`, `router.use` and routes of Express 4 and 5, by shape, so that neither's types are needed. */
export type Middleware<Request extends IncomingMessage = IncomingMessage> = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void

/** An answer instead of the route's, that nobody may keep. */
export function refuse(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, message: string): void {
  // The client may have gone, or the application have answered by itself.
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify({ error: { message } })
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.setHeader('Cache-Control', 'no-store')
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
