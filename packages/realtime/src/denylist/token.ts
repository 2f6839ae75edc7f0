import { createHash } from 'node:crypto'
import { InvalidArgumentError } from '@tiercel/core'

/** Longer than any header of a server with default settings. */
const LONGEST_TOKEN = 16_384

/** Claims of a JWT that was verified, as `verify` of a JWT library gives them. */
export interface TokenClaims {
  /** What tells the token from others of its issuer. */
  readonly jti?: string | undefined
  readonly iss?: string | undefined
  /** When it expires, in seconds since 1970. */
  readonly exp?: number | undefined
}

/** A token as it was sent, or the claims of one that was verified. */
export type Token = string | TokenClaims

export interface KnownToken {
  /** What stands for it everywhere: nobody can make the token of it. */
  readonly hash: string
  /** In ms since 1970, if the token says. */
  readonly expiresAt: number | undefined
}

/**
 * A JWT is told by its issuer and `jti`, so that it is the same one whether it comes as text or as claims. Without a `jti` it is told by what is signed of it: the signature
 * itself can be written in several ways. Any other token is told by all of its characters.
 *
 * @throws {InvalidArgumentError}
 */
export function identify(token: Token): KnownToken {
  const claims = typeof token === 'string' ? claimsIn(checked(token)) : token
  if (typeof claims === 'object' && claims !== null && typeof claims.jti === 'string' && claims.jti !== '') {
    return { hash: hashOf('jti', JSON.stringify([claims.iss ?? null, claims.jti])), expiresAt: expiryOf(claims) }
  }
  if (typeof token !== 'string') throw new InvalidArgumentError('Claims without a jti do not say which token it is: pass the token itself')
  return claims === undefined ? { hash: hashOf('text', token), expiresAt: undefined } : { hash: hashOf('signed', token.slice(0, token.lastIndexOf('.'))), expiresAt: expiryOf(claims) }
}

function checked(token: string): string {
  if (token === '' || token.length > LONGEST_TOKEN) throw new InvalidArgumentError(`A token has 1 to ${LONGEST_TOKEN} characters`)
  return token
}

/** `undefined`: it is no JWT. Whether the signature is right is for those to say who accept the token. */
function claimsIn(token: string): TokenClaims | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString()) as unknown
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? claims : undefined
  } catch {
    return undefined
  }
}

function expiryOf({ exp }: TokenClaims): number | undefined {
  return typeof exp === 'number' && Number.isFinite(exp) ? Math.ceil(exp * 1000) : undefined
}

/** What is told in different ways cannot be mistaken for each other. */
function hashOf(kind: 'jti' | 'signed' | 'text', text: string): string {
  return createHash('sha256').update(`${kind}:${text}`).digest('base64url')
}
