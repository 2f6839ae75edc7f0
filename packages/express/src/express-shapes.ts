import type { IncomingMessage, ServerResponse } from 'node:http'

/** What Express 4 and 5 add to a request, as far as it is used here. By shape, so that neither's types are needed. */
export interface CachedRequest extends IncomingMessage {
  originalUrl: string
  baseUrl: string
  /** Of the route the middleware is on; empty under `app.use`. */
  params: Record<string, string>
  /** `http` or `https`; follows `trust proxy`. */
  readonly protocol: string
  readonly query: unknown
  cookies?: unknown
  body?: unknown
}

export type Next = (error?: unknown) => void

/** A middleware for `app.use`, `router.use` and routes of Express 4 and 5. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void
