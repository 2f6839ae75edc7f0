import { cacheResponses } from '@tiercel/express'
import cors from 'cors'
import type { Request, Response } from 'express'
import session from 'express-session'
import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { openObedientPage, openPage } from './page.js'
import { open } from './site.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  const policies: [string, (req: Request) => object][] = [
    ['that a handler reflects', (req) => ({ 'Access-Control-Allow-Origin': req.get('origin') ?? '*' })],
    ['that a handler reflects with credentials', (req) => ({ 'Access-Control-Allow-Origin': req.get('origin') ?? '*', 'Access-Control-Allow-Credentials': 'true' })],
    ['that a handler reflects and varies by', (req) => ({ 'Access-Control-Allow-Origin': req.get('origin') ?? '*', Vary: 'Origin' })],
  ]
  it.each(policies)('never gives one origin the permission of another %s', async (_name, policy) => {
    const site = await openPage(express, (req, res) => void res.set(policy(req)).send('page'))
    const allowed = async (origin?: string): Promise<unknown> => (await site.get('/', origin === undefined ? {} : { origin })).headers['access-control-allow-origin']

    expect(await allowed('https://a.example')).not.toBe('https://b.example')
    expect(await allowed('https://b.example')).not.toBe('https://a.example')
    expect(await allowed()).not.toBe('https://a.example')
  })

  it.each(['before', 'behind'])('gives every origin its permission by cors() %s the cache', async (place) => {
    const site = await open(express, (app, cache) => {
      const both = [cors({ origin: true, credentials: true }), cacheResponses({ cache, ttl: '1m' })]
      app.use(...(place === 'before' ? both : both.toReversed()))
      app.get('/', counting())
    })

    for (const origin of ['https://a.example', 'https://b.example', 'https://a.example', 'https://b.example']) {
      expect((await site.get('/', { origin })).headers['access-control-allow-origin']).toBe(origin)
    }
  })

  it('gives each visitor the headers that were set for them before the cache was asked', async () => {
    let requests = 0
    const own = ['x-frame-options', 'x-tenant', 'content-language', 'x-custom']
    const page = counting()
    const site = await open(express, (app, cache) => {
      app.use((_req, res, next) => {
        requests++
        for (const name of own) res.setHeader(name, `of request ${requests}`)
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), page)
    })
    await site.get('/')

    const second = await site.get('/')
    expect(own.map((name) => second.headers[name])).toEqual(own.map(() => 'of request 2'))
    expect(page.runs).toBe(1)
  })

  it('gives each visitor the cookie that was set for them before the cache was asked', async () => {
    let requests = 0
    const site = await open(express, (app, cache) => {
      app.use((_req, res, next) => {
        res.setHeader('Set-Cookie', `sid=${++requests}`)
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), counting())
    })
    await site.get('/')

    expect((await site.get('/')).headers['set-cookie']).toEqual(['sid=2'])
  })

  it.each(['X-Request-Id', 'X-Correlation-Id', 'Traceparent', 'Server-Timing', 'RateLimit', 'X-RateLimit-Remaining'])('gives nobody the %s of another, though it is the handler who sets it', async (name) => {
    const site = await openPage(express, counting((_req, res, run) => res.set(name, `of ${run}`).send('page')))
    await site.get('/')

    expect((await site.get('/')).headers[name.toLowerCase()]).not.toBe('of 1')
  })

  it.each([
    ['Set-Cookie', 'sid=victim', {}],
    ['Set-Cookie', 'sid=victim', { 'if-none-match': '*' }],
    ['Cache-Control', 'private', {}],
    ['Cache-Control', 'no-store', {}],
    ['Cache-Control', 'no-store', { 'if-none-match': '*' }],
  ])('keeps nothing of a page for which middleware in front sets a header in the last moment: %s: %s, asked for with %o', async (name, value, headers) => {
    const site = await open(express, (app, cache) => {
      app.use((_req, res, next) => {
        const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => Response
        res.writeHead = ((...args: unknown[]) => {
          res.setHeader(name, value)
          return writeHead(...args)
        }) as never
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), counting((_req, res, run) => res.send(`token ${run}`)))
    })
    await site.get('/', headers)

    expect((await site.get('/')).body).toBe('token 2')
  })

  it('gives nobody the session of another, though its cookie is set no earlier than the headers are sent', async () => {
    const site = await open(express, (app, cache) => {
      app.use(session({ secret: 'x', resave: false, saveUninitialized: true }))
      app.get('/', cacheResponses({ cache, ttl: '1m' }), (req, res) => void res.send((req as unknown as { sessionID: string }).sessionID))
    })
    const first = await site.get('/')
    const sid = /sid=([^;]+)/.exec(String(first.headers['set-cookie']))?.[1] ?? ''
    expect(sid).not.toBe('')

    const second = await site.get('/')
    expect(second.body).not.toBe(first.body)
    expect(String(second.headers['set-cookie'])).not.toContain(sid)
  })

  it('gives nobody the session of another, with the session behind the cache', async () => {
    const site = await open(express, (app, cache) => {
      app.use(cacheResponses({ cache, ttl: '1m' }))
      app.use(session({ secret: 'x', resave: false, saveUninitialized: true }))
      app.get('/', (req, res) => void res.send((req as unknown as { sessionID: string }).sessionID))
    })
    const [first, second] = [await site.get('/'), await site.get('/')]

    expect(second.body).not.toBe(first.body)
    expect(second.headers['set-cookie']).not.toEqual(first.headers['set-cookie'])
  })

  it('gives nobody what was meant for the connection of another', async () => {
    const page = counting((_req, res, run) => {
      res.set({ Connection: 'x-hop, keep-alive', 'X-Hop': 'one', 'Keep-Alive': 'timeout=999', 'Proxy-Authenticate': 'Basic', 'Proxy-Authorization': 'x', TE: 'gzip', Upgrade: 'h2c', 'Proxy-Connection': 'close' })
      res.send(`run ${run}`)
    })
    const site = await openPage(express, page)
    await site.get('/')

    const second = await site.get('/')
    expect(second.body).toBe('run 1')
    for (const name of ['x-hop', 'proxy-authenticate', 'proxy-authorization', 'te', 'upgrade', 'proxy-connection']) expect([name, second.headers[name]]).toEqual([name, undefined])
    expect(second.headers['keep-alive']).not.toBe('timeout=999')
  })

  it('says of a kept page when it was made and how old it is, by what the handler says', async () => {
    const made = new Date(Date.now() - 30_000).toUTCString()
    const site = await openObedientPage(express, counting((_req, res) => res.set({ Date: made, 'Cache-Control': 'max-age=600' }).send('page')))
    await site.get('/')

    const { headers } = await site.get('/')
    expect(headers.date).toBe(made)
    expect(Number(headers.age)).toBeGreaterThanOrEqual(30)
    expect(Number(headers.age)).toBeLessThan(300)
  })

  it.each(['99999999999', '-1', 'a', '1, 2', '1.5', '', ' ', '0x10', '1e9', '9'.repeat(400)])('survives an Age of %j, and says one that is a number', async (age) => {
    const site = await openObedientPage(express, counting((_req, res, run) => res.set({ 'Cache-Control': 'max-age=60', Age: age }).send(`run ${run}`)))

    for (let round = 0; round < 3; round++) {
      const { status, headers } = await site.get('/')
      expect(status).toBe(200)
      // What the handler itself says is its own; what is said of a kept page is a number.
      expect(headers['cache-status']?.includes('hit') === true ? headers.age : '0').toMatch(/^\d{1,10}$/)
    }
  })

  it.each([
    { Date: 'nonsense', 'Cache-Control': 'max-age=60' },
    { Date: 'Thu, 01 Jan 1970 00:00:00 GMT', 'Cache-Control': 'max-age=60' },
    { Date: 'Fri, 31 Dec 9999 23:59:59 GMT', 'Cache-Control': 'max-age=60' },
    { Expires: '0' },
    { Expires: 'Fri, 31 Dec 99999 23:59:59 GMT' },
    { 'Last-Modified': 'nonsense', ETag: 'nonsense', 'Cache-Control': 'max-age=60' },
    { 'Cache-Control': 'max-age=99999999999999999999999' },
    { 'Cache-Control': 'max-age=-1, s-maxage=x' },
    { 'Cache-Control': 'max-age="60', ETag: '"unclosed' },
    { 'Cache-Control': 'max-age=60, max-age=1, stale-while-revalidate=x' },
    { 'CDN-Cache-Control': 'max-age=;;,?1, ("' },
    { 'Cache-Groups': '"a", "b"; c=?1, (' },
    { 'No-Vary-Search': 'params=("a" "b, except=(' },
    { 'Content-Length': '4', 'Content-Type': '' },
    { Vary: ' , ,, ' },
    { Vary: `x-${'y'.repeat(3000)}` },
  ])('answers as the handler does, whatever it says: %j', async (headers) => {
    const site = await openObedientPage(express, counting((_req, res) => res.set(headers).end('page')))

    for (let round = 0; round < 3; round++) {
      const answer = await site.get('/')
      expect([answer.status, answer.body]).toEqual([200, 'page'])
      expect(answer.rawHeaders.join(' ')).not.toMatch(/NaN|Invalid Date|undefined|Infinity/)
    }
  })

  it('adds no line to an answer by a line break in a header of the visitor', async () => {
    const site = await openPage(express, (req, res) => void res.vary('X-A').set('X-Echo', req.get('x-a') ?? '').send('page'))
    for (let round = 0; round < 2; round++) {
      const answer = await site.raw(`GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\rSet-Cookie: evil=1\r\nConnection: close\r\n\r\n`)
      expect(answer).not.toMatch(/^set-cookie/im)
    }
    expect((await site.get('/')).status).toBe(200)
  })

  it('answers as ever when headers come twice', async () => {
    const site = await openPage(express, (req, res) => void res.vary('X-A').send(`a=${req.get('x-a') ?? ''}`))
    const visit = async (lines: string): Promise<string | undefined> =>
      (await site.raw(`GET / HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`)).split('\r\n\r\n').at(1)

    for (let round = 0; round < 2; round++) {
      expect(await visit('X-A: 1\r\nX-A: 2\r\n')).toBe('a=1, 2')
      expect(await visit('X-A: 1\r\n')).toBe('a=1')
      expect(await visit('Range: bytes=0-0\r\nRange: bytes=1-1\r\nIf-None-Match: "a"\r\nIf-None-Match: *\r\nCookie: a=1\r\nCookie: b=1\r\nX-A: 3\r\n')).toBe('a=3')
    }
  })
})
