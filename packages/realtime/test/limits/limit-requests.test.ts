import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express5 from 'express'
import express4 from 'express4'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Backend } from '../../src/backend/backend.js'
import { clientNetwork } from '../../src/limits/client-network.js'
import { createRateLimiter, limitRequests, type LimitRequestsOptions, type RateLimiter } from '../../src/limits/index.js'

const servers: Server[] = []
let backend: Backend
let limiter: RateLimiter
beforeEach(() => {
  backend = new Backend({ redis: false })
  limiter = createRateLimiter({ backend, name: 'search', limit: 2, window: '1h' })
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await backend.close()
})

const user = (request: { headers: Record<string, unknown> }) => request.headers['x-user'] as string | undefined
const statuses = async (answers: readonly Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status)
const answer: express5.RequestHandler = (_, response) => void response.send('found')

async function serve(express: typeof express5, build: (app: express5.Express) => void): Promise<(path: string, headers?: Record<string, string>) => Promise<Response>> {
  const app = express()
  app.set('trust proxy', true)
  build(app)
  const server = createServer(app).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return (path, headers = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers })
}

it('takes addresses as what they are', () => {
  const networks = { '192.0.2.1': '192.0.2.1', '::ffff:192.0.2.1': '192.0.2.1', '::1': '0:0:0:0::/64', '2001:DB8::1': '2001:db8:0:0::/64', '2001:0db8:0000:0001:2:3:4:5': '2001:db8:0:1::/64', 'fe80::1%eth0': 'fe80:0:0:0::/64', '1:2:3:4:5::': '1:2:3:4::/64', '': 'unknown' }
  expect(Object.fromEntries(Object.keys(networks).map((address) => [address, clientNetwork(address)]))).toEqual(networks)
})

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as unknown as typeof express5],
])('limitRequests (%s)', (_name, express) => {
  const on = (build: (app: express5.Express) => void) => serve(express, build)

  it('tells every answer how it stands, and answers what is too much with 429 (B5, D8)', async () => {
    const get = await on((app) => app.get('/search/:text', limitRequests({ limiter, user }), answer))
    const first = await get('/search/a', { 'x-user': 'ada' })
    expect([first.status, first.headers.get('ratelimit-policy'), first.headers.get('ratelimit')]).toEqual([200, '"search";q=2;w=3600', '"search";r=1;t=3600'])
    expect((await get('/search/b', { 'x-user': 'ada' })).headers.get('ratelimit')).toMatch(/^"search";r=0;t=3[56]\d\d$/)
    const refused = await get('/search/c', { 'x-user': 'ada' })
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([429, 'no-store'])
    expect(refused.headers.get('retry-after')).toMatch(/^3[56]\d\d$/)
    expect(refused.headers.get('ratelimit')).toMatch(/^"search";r=0;t=3[56]\d\d$/)
    expect(await refused.json()).toEqual({ error: { message: 'Too many requests' } })
  })

  it('counts by user and endpoint, and not by what a client can make up', async () => {
    const limit = limitRequests({ limiter, user })
    const get = await on((app) => {
      app.get('/a/:id', limit, answer)
      app.get('/b', limit, answer)
      app.use('/c', limit, answer)
    })
    const times = (path: (n: number) => string, headers: Record<string, string>) => Array.from({ length: 3 }, (_, n) => get(path(n), headers))
    for (const path of [(n: number) => `/a/${n}?x=${n}`, () => '/b', (n: number) => `/c/${n}`]) {
      expect((await statuses(times(path, { 'x-user': 'ada' }))).toSorted()).toEqual([200, 200, 429])
      expect((await statuses(times(path, { 'x-user': 'bob' }))).toSorted()).toEqual([200, 200, 429])
    }
  })

  it('counts by the network of a client that is nobody who is known', async () => {
    const get = await on((app) => app.get('/', limitRequests({ limiter, user }), answer))
    const from = (address: string) => get('/', { 'x-forwarded-for': address })
    expect(await statuses([from('2001:db8::1'), from('2001:db8:0:0:ffff::2')])).toEqual([200, 200])
    expect(await statuses([from('2001:db8::3'), from('2001:db8:0:1::3'), from('192.0.2.1'), from('192.0.2.2')])).toEqual([429, 200, 200, 200])
    // Nobody can call himself an address.
    expect((await get('/', { 'x-user': 'ip:2001:db8:0:0::/64' })).status).toBe(200)
  })

  it('tells of several limits beside each other, and takes what a request costs', async () => {
    const all = createRateLimiter({ backend, name: 'all', limit: 10, window: '1m' })
    const get = await on((app) => app.get('/', limitRequests({ limiter, cost: () => 2 }), limitRequests({ limiter: all, endpoint: () => 'any' }), answer))
    const first = await get('/')
    expect([first.headers.get('ratelimit-policy'), first.headers.get('ratelimit')]).toEqual(['"search";q=2;w=3600, "all";q=10;w=60', '"search";r=0;t=3600, "all";r=9;t=60'])
    expect((await get('/')).status).toBe(429)
  })

  it('answers with 503 when nobody counts and nobody may pass then, and says nothing of a limit', async () => {
    const closed: LimitRequestsOptions['limiter'] = { name: 'x', limit: 1, windowSeconds: 1, consume: () => Promise.resolve({ allowed: false, by: 'outage', limit: 1, remaining: undefined, resetMs: undefined }) }
    const get = await on((app) => app.get('/', limitRequests({ limiter: closed }), answer))
    const refused = await get('/')
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('ratelimit')]).toEqual([503, '5', null])
    // What one process counts by itself is not how it stands.
    const local: LimitRequestsOptions['limiter'] = { ...closed, consume: () => Promise.resolve({ allowed: false, by: 'local', limit: 1, remaining: 0, resetMs: 1500 }) }
    const tooMuch = await (await on((app) => app.get('/', limitRequests({ limiter: local }), answer)))('/')
    expect([tooMuch.status, tooMuch.headers.get('retry-after'), tooMuch.headers.get('ratelimit')]).toEqual([429, '2', null])
    expect(() => limitRequests({} as LimitRequestsOptions)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
  })
})
