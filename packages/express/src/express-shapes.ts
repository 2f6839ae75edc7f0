import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What tells whom a request was for, and what. */
export interface Addressed {
  readonly headers: IncomingHttpHeaders
  readonly socket: Socket
  readonly originalUrl?: string | undefined
  readonly url?: string | undefined
}

/** The URL that was asked for. */
export function urlOf({ originalUrl, url }: Addressed): string {
  return originalUrl ?? url ?? '/'
}

/** What Express 4 and 5 add to a request, as far as it is used here. By shape, so that neither's types are needed. */
export interface CachedRequest extends IncomingMessage {
  /** The URL before routers took their part of it. Absent outside of Express. */
  originalUrl?: string
  /** That part of it. */
  baseUrl?: string
  /** Of the route the middleware is on; empty under `app.use`. */
  params: Record<string, string>
  readonly query: unknown
  /** What `cookie-parser` has found. */
  cookies?: unknown
  /** Those of them that were signed. */
  signedCookies?: unknown
}

export type Next = (error?: unknown) => void

/** A middleware for `app.use`, `router.use` and routes of Express 4 and 5. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void
