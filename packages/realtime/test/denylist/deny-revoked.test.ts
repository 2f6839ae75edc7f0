import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express5, { type Express } from 'express'
import express4 from 'express4'
import { afterEach, describe, expect, it } from 'vitest'
import { createDenylist, denyRevoked, type DenyRevokedOptions } from '../../src/denylist/index.js'
import { jwt } from './jwt.js'

const exp = Math.floor(Date.now() / 1000) + 3600
let server: Server | undefined
afterEach(() => void server?.close())

async function serveOn(express: typeof express5, options: DenyRevokedOptions): Promise<(token?: string) => Promise<Response>> {
  const app: Express = express()
  app.use(denyRevoked(options))
  app.get('/', (_, response) => void response.send('in'))
  server = createServer(app).listen(0, '127.0.0.1')
  await new Promise((resolve) => server?.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return (token) => fetch(`http://127.0.0.1:${port}/`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as unknown as typeof express5],
])('denyRevoked (%s)', (_name, express) => {
  const serve = (options: DenyRevokedOptions) => serveOn(express, options)

  it('answers requests with a revoked token with 401, and lets others through (B6)', async () => {
    const denylist = createDenylist({ redis: false })
    const [revoked, other] = [jwt({ jti: '1', exp }), jwt({ jti: '2', exp })]
    await denylist.revoke(revoked)
    const get = await serve({ denylist })
    const refused = await get(revoked)
    expect([refused.status, refused.headers.get('www-authenticate'), refused.headers.get('cache-control')]).toEqual([401, 'Bearer error="invalid_token", error_description="The token was revoked"', 'no-store'])
    expect(await refused.json()).toEqual({ error: { message: 'The token was revoked' } })
    expect([(await get(other)).status, (await get()).status]).toEqual([200, 200])
    await denylist.close()
  })

  it('answers with 503 when nobody knows, and lets nobody through', async () => {
    const get = await serve({ denylist: { check: () => Promise.resolve('unknown') } })
    const refused = await get('token')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  })

  it('answers what is no token with 401, and what goes wrong with an error', async () => {
    const denylist = createDenylist({ redis: false })
    const get = await serve({ denylist, token: () => '' })
    expect((await get()).status).toBe(401)
    server?.close()
    const failing = await serve({ denylist: { check: () => Promise.reject(new Error('broken')) } })
    expect((await failing('token')).status).toBe(500)
    expect(() => denyRevoked({} as DenyRevokedOptions)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
    await denylist.close()
  })
})
