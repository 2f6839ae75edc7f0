import { denyRevoked, limitRequests, type Locks, type RateLimiter, type RedisService, type TokenDenylist } from '@tiercel/realtime'
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import express, { Router, type RequestHandler } from 'express'
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

const TOKEN_SECONDS = 600
const POINTS = 'points'

interface Claims {
  readonly jti: string
  readonly sub: string
  readonly exp: number
}

interface MemberRequest extends IncomingMessage {
  claims?: Claims
}

export interface Guards {
  readonly denylist: TokenDenylist
  readonly limiter: RateLimiter
  readonly locks: Locks
  readonly redis: RedisService
  /** With which tokens are signed, the same in all processes. */
  readonly secret: string
}

/** Members with tokens: who may in, how often, and points that are added up one after the other. They do not know how many processes there are. */
export function memberRoutes({ denylist, limiter, locks, redis, secret }: Guards): Router {
  const router = Router()
  router.use(express.json())

  router.post('/:name/token', (request, response) => {
    response.json({ token: signed({ jti: randomUUID(), sub: request.params.name, exp: Math.floor(Date.now() / 1000) + TOKEN_SECONDS }, secret) })
  })

  router.use(authenticate(secret), denyRevoked<MemberRequest>({ denylist, token: ({ claims }) => claims }))

  router.get('/me', limitRequests<MemberRequest>({ limiter, user: ({ claims }) => claims?.sub }), (request: MemberRequest, response) => {
    response.json({ member: request.claims?.sub })
  })

  router.post('/me/logout', async (request: MemberRequest, response) => {
    response.json(request.claims === undefined ? {} : await denylist.revoke(request.claims))
  })

  // What is read, and written a little later, is wrong when somebody else does the same meanwhile.
  const add = async (): Promise<number> => {
    const points = Number((await redis.get(POINTS)) ?? 0) + 1
    await pause(2)
    await redis.set(POINTS, String(points), TOKEN_SECONDS)
    return points
  }
  router.post('/points', async (_request, response) => {
    response.json(await locks.withLock(POINTS, async ({ fence }) => ({ fence, points: await add() }), { wait: '10m' }))
  })
  router.post('/points/without-lock', async (_request, response) => {
    response.json({ points: await add() })
  })

  return router
}

function authenticate(secret: string): RequestHandler {
  return (request: MemberRequest, response, next) => {
    const claims = verified(/^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '', secret)
    if (claims === undefined) return void response.status(401).json({ error: 'Ask for a token first' })
    request.claims = claims
    next()
  }
}

/** A JWT, by RFC 7519: as little of it as a demonstration needs. */
function signed(claims: Claims, secret: string): string {
  const content = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${content}.${signatureOf(content, secret).toString('base64url')}`
}

function verified(token: string, secret: string): Claims | undefined {
  const [header = '', body = '', signature = ''] = token.split('.')
  const [given, right] = [Buffer.from(signature, 'base64url'), signatureOf(`${header}.${body}`, secret)]
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
  return claims.exp * 1000 > Date.now() ? claims : undefined
}

function signatureOf(content: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(content).digest()
}
