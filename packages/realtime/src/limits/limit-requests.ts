import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidOptionError } from '@tiercel/core'
import { type Middleware, refuse } from '../http/middleware.js'
import { clientNetwork } from './client-network.js'
import type { LimitDecision, RateLimiter } from './rate-limiter.js'

/** What Express adds to a request, as far as it is used here. */
export interface LimitedRequest extends IncomingMessage {
  /** The address of the client, by the `trust proxy` of the application. */
  readonly ip?: string | undefined
  /** Where the router is mounted. */
  readonly baseUrl?: string
  /** The route the middleware is on; absent under `app.use`. */
  readonly route?: { readonly path?: unknown }
}

export interface LimitRequestsOptions<Request extends IncomingMessage = LimitedRequest> {
  readonly limiter: Pick<RateLimiter, 'name' | 'limit' | 'windowSeconds' | 'consume'>
  /** Who asks; `undefined`: nobody who is known, so the client's network counts. Default: always the network, by `req.ip`. */
  user?(request: Request): string | undefined
  /** What is asked for: requests of one user for one endpoint count together. Default: method and path of the route, as it was declared; under `app.use` method and mount path. */
  endpoint?(request: Request): string
  /** How many points a request costs. Default: 1. */
  cost?(request: Request): number
}

const TRY_AGAIN_SECONDS = '5'

/**
 * Lets as many requests of a user through to an endpoint as the limiter allows. The rest is answered with 429 and `Retry-After`; with 503 when Redis is away and the limiter is
 * closed then. All answers say how it stands, in `RateLimit-Policy` and `RateLimit` as of draft-ietf-httpapi-ratelimit-headers-10.
 *
 * @throws {InvalidOptionError} without a limiter.
 * @example
 * app.get('/search', limitRequests({ limiter, user: (req) => req.user?.id }), search)
 */
export function limitRequests<Request extends IncomingMessage = LimitedRequest>(options: LimitRequestsOptions<Request>): Middleware<Request> {
  const { limiter, user, endpoint = declaredEndpoint, cost } = options
  if (typeof limiter?.consume !== 'function') throw new InvalidOptionError('limitRequests needs a limiter')
  return (request, response, next) => {
    const decide = async (): Promise<void> => {
      const decision = await limiter.consume(`${whoAsks(request, user?.(request))} ${endpoint(request)}`, cost?.(request) ?? 1)
      tell(response, limiter, decision)
      if (decision.allowed) return next()
      if (decision.resetMs === undefined) return refuse(response, 503, { 'Retry-After': TRY_AGAIN_SECONDS }, 'Requests cannot be counted at the moment')
      refuse(response, 429, { 'Retry-After': seconds(decision.resetMs) }, 'Too many requests')
    }
    void decide().then(undefined, next)
  }
}

/** Names of users have no spaces then, and none is an address. */
function whoAsks(request: LimitedRequest, user: string | undefined): string {
  return user === undefined ? `ip:${clientNetwork(request.ip ?? request.socket.remoteAddress)}` : `user:${encodeURIComponent(user)}`
}

/** Not the URL: whoever asks could make another one of it for each request. */
function declaredEndpoint({ method = '', baseUrl = '', route }: LimitedRequest): string {
  return `${method} ${baseUrl}${typeof route?.path === 'string' ? route.path : route === undefined ? '' : String(route.path)}`
}

/** Beside what other limits of the same request say. */
function tell(response: ServerResponse, { name, limit, windowSeconds }: Pick<RateLimiter, 'name' | 'limit' | 'windowSeconds'>, { by, remaining, resetMs }: LimitDecision): void {
  if (by !== 'shared' || remaining === undefined || resetMs === undefined || response.headersSent) return
  response.appendHeader('RateLimit-Policy', `"${name}";q=${limit};w=${windowSeconds}`)
  response.appendHeader('RateLimit', `"${name}";r=${remaining};t=${seconds(resetMs)}`)
}

function seconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)))
}
