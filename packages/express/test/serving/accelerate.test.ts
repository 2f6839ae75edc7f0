import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { hitOf } from '@tiercel/core/connection'
import { accelerate, cacheResponses, type ResponseCacheOptions } from '@tiercel/express'
import compression from 'compression'
import cors from 'cors'
import type { Express, Request } from 'express'
import { expect, it } from 'vitest'
import { counting, type Counting } from '../safety/counting.js'
import { open, type Answer, type Site } from '../safety/site.js'
import { onBothVersions, type ExpressModule } from '../safety/versions.js'
import { known } from '../../src/response/decoded-frames.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const isAccelerated = (answer: Answer): boolean => String(answer.headers['cache-status']).includes('accelerated')

const page = (): Counting => counting((_req, res, run) => res.set('Cache-Control', 'public, max-age=60').send(`run ${run}`))

function openAccelerated(express: ExpressModule, handler: Counting, options: Partial<ResponseCacheOptions<Request>> = {}, before: (app: Express) => void = () => {}): Promise<Site> {
  return open(express, (app, cache) => {
    accelerate(app)
    before(app)
    app.all(/.*/, cacheResponses({ cache, ...options }), handler)
  })
}

/** Made, then two hits through the application, by which it is learned. */
async function learned(site: Site, path = '/', headers: Record<string, string> = {}): Promise<void> {
  for (let i = 0; i < 3; i++) expect(isAccelerated(await site.get(path, headers))).toBe(false)
}

onBothVersions((express) => {
  it('answers what is public before the application runs, with the headers it would have', async () => {
    let passed = 0
    const handler = page()
    const site = await openAccelerated(express, handler, {}, (app) => {
      app.use((_req, res, next) => {
        passed++
        res.set('X-Frame-Options', 'DENY').set('X-Request-Id', String(passed))
        next()
      })
    })
    await learned(site)
    const slow = await site.get('/', { 'if-none-match': '"another"' })
    const fast = await site.get('/')
    expect([isAccelerated(slow), isAccelerated(fast), passed, handler.runs]).toEqual([false, true, 4, 1])

    const { date: _date, 'x-request-id': _id, 'cache-status': _status, age: _age, ...expected } = slow.headers
    expect(fast.body).toBe(slow.body)
    expect(fast.headers).toMatchObject(expected)
    expect(fast.headers['x-request-id']).toBeUndefined()
  })

  it('forgets what is invalidated as any other cache does', async () => {
    const site = await openAccelerated(express, page(), { room: '1' })
    await learned(site)
    expect(isAccelerated(await site.get('/'))).toBe(true)
    await site.cache.invalidate({ room: '1' })
    expect((await site.get('/')).body).toBe('run 2')
    await site.send('/', { method: 'PUT' })

    expect((await site.get('/')).body).not.toBe('run 2')
  })

  it.each([
    ['is not marked public', counting((_req, res) => res.set('Cache-Control', 'max-age=60').send('page')), {}],
    ['is in a room by a function', page(), { room: (req: Request) => String(req.get('x-tenant')) }],
    ['has a key by a function', page(), { key: (req: Request) => String(req.get('x-tenant')) }],
    ['depends on cookies', page(), { cookies: ['lang'] }],
    ['is an error', counting((_req, res) => res.status(404).set('Cache-Control', 'public, max-age=60').send('no')), { errors: true }],
  ])('leaves to the application what %s', async (_name, handler, options) => {
    const site = await openAccelerated(express, handler, options)
    for (let i = 0; i < 5; i++) expect(isAccelerated(await site.get('/', { 'x-tenant': 'a' }))).toBe(false)
  })

  it.each([{ range: 'bytes=0-1' }, { 'if-none-match': '*' }, { 'x-http-method-override': 'DELETE' }, { 'cache-control': 'no-cache' }, { accept: 'text/event-stream' }])('leaves to the application a request that wants more than the page: %o', async (headers) => {
    const site = await openAccelerated(express, page())
    await learned(site)

    expect(isAccelerated(await site.get('/', headers))).toBe(false)
    expect(isAccelerated(await site.send('/', { method: 'HEAD' }))).toBe(false)
    expect((await site.send('/', { body: 'x' })).body).not.toBe('run 1')
  })

  it('gives each visitor the variant they are to have, and each host its own page', async () => {
    const site = await openAccelerated(express, counting((req, res) => res.vary('Accept-Language').set('Cache-Control', 'public, max-age=60').send(`${req.get('host')} ${req.get('accept-language')}`)))
    const visit = async (host: string, language: string): Promise<string> => (await site.get('/', { host, 'accept-language': language })).body
    for (let round = 0; round < 6; round++) {
      for (const host of ['a.example', 'b.example']) for (const language of ['de', 'en']) expect(await visit(host, language)).toBe(`${host} ${language}`)
    }
  })

  it('leaves out nobody who changes bodies on their way', async () => {
    const site = await openAccelerated(express, counting((_req, res) => res.set('Cache-Control', 'public, max-age=60').type('text').send('compress me '.repeat(500))), {}, (app) => void app.use(compression()))
    for (let i = 0; i < 5; i++) expect((await site.get('/', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBe('gzip')
  })

  it.each(['with Vary', 'without'])('gives every origin its own permission, %s', async (how) => {
    const site = await openAccelerated(express, page(), {}, (app) => {
      if (how === 'with Vary') app.use(cors({ origin: true, credentials: true }))
      else {
        app.use((req, res, next) => {
          res.set('Access-Control-Allow-Origin', req.get('origin'))
          next()
        })
      }
    })
    for (const origin of ['a', 'b', 'b', 'b', 'a', 'c', 'c', 'c', 'a', 'b', 'c'].map((name) => `https://${name}.example`)) {
      expect((await site.get('/', { origin })).headers['access-control-allow-origin']).toBe(origin)
    }
  })

  it('gives each visitor what middleware has set for their variant', async () => {
    const site = await openAccelerated(express, page(), {}, (app) => {
      app.use((req, res, next) => {
        res.vary('Accept-Language').set('X-Greeting', `hello in ${req.get('accept-language')}`)
        next()
      })
    })
    let accelerated = 0
    for (const language of ['de', 'en', 'en', 'de', 'de', 'de', 'de', 'en', 'en', 'de']) {
      const answer = await site.get('/', { 'accept-language': language })
      expect(answer.headers['x-greeting']).toBe(`hello in ${language}`)
      if (isAccelerated(answer)) accelerated++
    }
    expect(accelerated).toBeGreaterThan(0)
  })

  it('gives nobody a cookie that was set for another', async () => {
    let visits = 0
    const site = await openAccelerated(express, page(), {}, (app) => {
      app.use((req, res, next) => {
        if (req.get('x-new') !== undefined) res.cookie('sid', String(++visits))
        next()
      })
    })
    for (let i = 0; i < 5; i++) await site.get('/', i === 0 ? {} : { 'x-new': '1' })
    for (let i = 0; i < 5; i++) expect((await site.get('/')).headers['set-cookie']).toBeUndefined()
  })

  it.each(['cookie', 'authorization'])('gives nobody what middleware has set for a visitor it knows by %s', async (name) => {
    const site = await openAccelerated(express, page(), {}, (app) => {
      app.use((req, res, next) => {
        res.set('X-User', req.get(name) ?? 'nobody')
        next()
      })
    })
    for (let i = 0; i < 5; i++) await site.get('/', { [name]: 'alice' })
    for (let i = 0; i < 5; i++) expect((await site.get('/')).headers['x-user']).toBe('nobody')
  })

  it.each([
    ['a header that is part of the key', 'x-tenant', { vary: ['X-Tenant'] }],
    ['what a proxy says', 'x-forwarded-host', {}],
  ])('gives nobody what middleware has set for another by %s', async (_what, name, options) => {
    const site = await openAccelerated(express, page(), options, (app) => {
      app.use((req, res, next) => {
        res.set('X-For', req.get(name) ?? 'nobody')
        next()
      })
    })
    await learned(site, '/', { [name]: 'a' })
    for (const value of ['b', 'b', 'b', 'b', 'a']) expect((await site.get('/', { [name]: value })).headers['x-for']).toBe(value)
  })

  it('answers nothing for middleware that says something else of each request', async () => {
    let requests = 0
    const site = await openAccelerated(express, page(), {}, (app) => {
      app.use((_req, res, next) => {
        res.set('X-Whatever-They-Call-It', String(++requests))
        next()
      })
    })
    for (let i = 1; i < 6; i++) expect((await site.get('/')).headers['x-whatever-they-call-it']).toBe(String(i))
  })

  it('holds on to no response that the cache has forgotten', async () => {
    const site = await openAccelerated(express, page())
    await learned(site)
    expect(isAccelerated(await site.get('/'))).toBe(true)
    const key = `GET http://127.0.0.1:${site.port}/`
    const response = new WeakRef(known(hitOf(site.cache, key)) as object)
    await site.cache.delete(key)

    await expect.poll(() => {
      collectGarbage()
      return response.deref() === undefined
    }).toBe(true)
  })
})

it.each([undefined, {}, () => {}])('refuses what is no application: %s', (app) => {
  expect(() => accelerate(app as unknown as Express)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
})
