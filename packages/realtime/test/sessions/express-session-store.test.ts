import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import { afterEach, expect, it, vi } from 'vitest'
import { createExpressSessionStore, healthRoute, statusRoute, StorageManager } from '../../src/sessions/index.js'
import { describeEverywhere, describeOnRedis, soon, type Ground } from '../ground/ground.js'

declare module 'express-session' {
  interface SessionData {
    visits: number
  }
}

const servers: Server[] = []

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(async (server) => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }),
  )
})

async function listen(app: ReturnType<typeof express>): Promise<string> {
  const server = createServer(app as never)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An application in a process of its own, so to say. */
async function application(ground: Ground, cookie: object = {}): Promise<string> {
  const app = express()
  const store = createExpressSessionStore(session, { backend: await ground.process() })
  app.use(session({ store, secret: 'secret', resave: false, saveUninitialized: false, cookie }))
  app.get('/count', (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1
    response.json(request.session.visits)
  })
  app.get('/look', (request, response) => void response.json(request.session.visits ?? 0))
  app.get('/leave', (request, response) => request.session.destroy((error: unknown) => void response.json(error === null || error === undefined)))
  app.use((error: { code?: string }, _request: unknown, response: { status(code: number): { json(body: unknown): void } }, _next: unknown) => response.status(503).json(error.code))
  return await listen(app)
}

function visitor(): (url: string) => Promise<unknown> {
  let cookie = ''
  return async (url) => {
    const response = await fetch(url, { headers: { cookie } })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    return await response.json()
  }
}

describeEverywhere('the store for express-session', (ground) => {
  it('keeps a visitor’s session for every process, until it is destroyed', async () => {
    const [one, other] = [await application(ground), await application(ground)]
    const [ada, bo] = [visitor(), visitor()]
    expect([await ada(`${one}/count`), await ada(`${other}/count`), await bo(`${other}/count`), await ada(`${one}/look`)]).toEqual([1, 2, 1, 2])
    expect(await ada(`${other}/leave`)).toBe(true)
    expect([await ada(`${one}/look`), await bo(`${one}/look`)]).toEqual([0, 1])
  })

  it('lets it go with its cookie, and gives it its time anew with each use', async () => {
    const [brief, url] = [await application(ground, { maxAge: 700 }), await application(ground, { maxAge: 600_000 })]
    const index = `${ground.prefix}index:express`
    const cookie = (await fetch(`${brief}/count`)).headers.get('set-cookie')?.split(';')[0] ?? ''
    const unused = `${ground.prefix}express:${/s%3A([\w-]+)/.exec(cookie)?.[1]}`
    expect(unused).toMatch(/express:[\w-]{16,}$/)
    await vi.waitUntil(async () => (await ground.cli('EXISTS', unused, index)) === 0, soon)
    expect(await (await fetch(`${brief}/look`, { headers: { cookie } })).json()).toBe(0)
    const used = visitor()
    await used(`${url}/count`)
    const [id = ''] = (await ground.cli('ZRANGE', index, 0, -1)) as string[]
    const key = `${ground.prefix}express:${id}`
    // As if nearly all of its time were over.
    expect(await ground.cli('PEXPIRE', key, 60_000)).toBe(1)
    await ground.cli('ZADD', index, Date.now() + 60_000, id)
    expect(await used(`${url}/look`)).toBe(1)
    expect(await ground.cli('PTTL', key)).toBeGreaterThan(60_000)
    expect(Number(await ground.cli('ZSCORE', index, id))).toBeGreaterThan(Date.now() + 60_000)
  })

  it('counts, lists and clears sessions', async () => {
    const store = createExpressSessionStore(session, { backend: await ground.process() })
    const call = <T>(method: (done: (error: unknown, result?: T) => void) => void) => new Promise<T | undefined>((resolve, reject) => method((error, result) => (error === null || error === undefined ? resolve(result) : reject(error as Error))))
    const data = { cookie: { originalMaxAge: 60_000 }, visits: 1 } as session.SessionData
    for (const id of ['a', 'b', 'c']) await call((done) => store.set(id, data, done))
    expect(await call((done) => store.length?.(done))).toBe(3)
    expect(await call((done) => store.all?.(done as never))).toHaveLength(3)
    expect(await call((done) => store.get('a', done as never))).toMatchObject({ visits: 1 })
    await call((done) => store.clear?.(done))
    expect(await call((done) => store.length?.(done))).toBe(0)
    expect(await call((done) => store.get('a', done as never))).toBeNull()
    await call((done) => store.touch?.('a', data, () => done(null)))
    expect(await call((done) => store.length?.(done))).toBe(0)
    await expect(call((done) => store.get('', done as never))).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
  })

  it('tells probes how the storage of sessions stands, as routes (C4)', async () => {
    const manager = new StorageManager({ backend: await ground.process() })
    const app = express()
    app.get('/health', healthRoute(manager))
    app.get('/status', statusRoute(manager))
    const url = await listen(app)
    expect((await fetch(`${url}/health`)).status).toBe(503)
    await manager.initialize()
    const response = await fetch(`${url}/health`)
    expect([response.status, await response.json()]).toEqual([200, JSON.parse(JSON.stringify(await manager.healthCheck()))])
    expect(await (await fetch(`${url}/status`)).json()).toMatchObject({ storageType: ground.hasRedis ? 'redis' : 'memory', initialized: true })
    await manager.close()
  })
})

describeOnRedis('the store for express-session and Redis', (ground) => {
  it('has requests fail while Redis is away, and go on after it', async () => {
    const url = await application(ground)
    const ada = visitor()
    await ada(`${url}/count`)
    await ground.redis.kill()
    expect(await ada(`${url}/count`)).toBe('TIERCEL_REDIS_UNAVAILABLE')
    await ground.redis.start()
    await vi.waitUntil(async () => (await ada(`${url}/count`)) === 1, soon)
  })
})
