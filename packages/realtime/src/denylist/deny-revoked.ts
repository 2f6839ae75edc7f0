import type { IncomingMessage } from 'node:http'
import { InvalidArgumentError, InvalidOptionError } from '@tiercel/core'
import { type Middleware, refuse } from '../http/middleware.js'
import type { TokenDenylist, Verdict } from './denylist.js'
import type { Token } from './token.js'

export interface DenyRevokedOptions<Request extends IncomingMessage = IncomingMessage> {
  readonly denylist: Pick<TokenDenylist, 'check'>
  /** The token of a request, or the claims of one that was verified before; `undefined`: it has none, and goes on. Default: that of `Authorization: Bearer`. */
  token?(request: Request): Token | undefined
}

/** As RFC 6750 has it, section 3. */
const CHALLENGE = { 'WWW-Authenticate': 'Bearer error="invalid_token", error_description="The token was revoked"' }
const TRY_AGAIN_SECONDS = '5'

/**
 * Lets a request through only if its token is known not to be revoked: 401 when it is, 503 when nobody knows. Whether the token is valid otherwise is for others to say,
 * and so is whether there has to be one.
 *
 * @throws {InvalidOptionError} without a denylist.
 * @example
 * app.use(verifyJwt, denyRevoked({ denylist, token: (req) => req.claims }))
 */
export function denyRevoked<Request extends IncomingMessage = IncomingMessage>({ denylist, token = bearerToken }: DenyRevokedOptions<Request>): Middleware<Request> {
  if (typeof denylist?.check !== 'function') throw new InvalidOptionError('denyRevoked needs a denylist')
  const verdictOn = async (request: Request): Promise<Verdict> => {
    const sent = token(request)
    if (sent === undefined) return 'not-revoked'
    return await denylist.check(sent).catch((error: unknown) => {
      // It is none, so nobody can have been given it.
      if (error instanceof InvalidArgumentError) return 'revoked'
      throw error
    })
  }
  return (request, response, next) => {
    const decide = async (): Promise<void> => {
      const verdict = await verdictOn(request)
      if (verdict === 'not-revoked') return next()
      if (verdict === 'revoked') return refuse(response, 401, CHALLENGE, 'The token was revoked')
      refuse(response, 503, { 'Retry-After': TRY_AGAIN_SECONDS }, 'Tokens cannot be checked at the moment')
    }
    void decide().then(undefined, next)
  }
}

function bearerToken({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
}
