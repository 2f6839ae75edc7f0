import { createCache } from '@tiercel/core'
import { cacheResponses } from '@tiercel/express'
import type { Request, Response } from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { counting } from '../safety/counting.js'
import { openObedientPage } from '../safety/page.js'
import { open, serve } from '../safety/site.js'
import { onBothVersions } from '../safety/versions.js'

/** Older than it may be, from the beginning: what follows is about stale responses, and waits for none to become one. */
const stale = (directives: string) => (_req: Request, res: Response, run: number) => res.set('Cache-Control', `max-age=600, ${directives}`).set('Age', run === 1 ? '610' : '0').send(`run ${run}`)

onBothVersions((express) => {
  it('serves at once what is stale while the handler makes the next', async () => {
    const page = counting(stale('stale-while-revalidate=60'))
    const site = await openObedientPage(express, page)
    await site.get('/')
    const second = await site.get('/')
    expect([second.body, second.headers.age]).toEqual(['run 1', expect.stringMatching(/^6[1-5]\d$/)])
    await expect.poll(() => page.runs).toBe(2)

    await expect.poll(async () => (await site.get('/')).body).toBe('run 2')
    expect(page.runs).toBe(2)
  })

  it('does not let a handler that was asked behind a stale response see who was there', async () => {
    const seen: Record<string, unknown>[] = []
    const page = counting((req, res, run) => {
      const { authorization, cookie, range, host, 'x-forwarded-proto': scheme, 'accept-language': language, 'user-agent': agent } = req.headers
      seen.push({ authorization, cookie, range, host, scheme, language, agent, url: req.originalUrl, method: req.method })
      res.vary('Accept-Language')
      return stale('public, stale-while-revalidate=60')(req, res, run)
    })
    const site = await openObedientPage(express, page)
    const headers = { host: 'a.example', 'x-forwarded-proto': 'https', 'accept-language': 'de', 'user-agent': 'a browser' }
    await site.get('/page?a=1', headers)
    await site.get('/page?a=1', { ...headers, authorization: 'Bearer secret', cookie: 'sid=secret' })
    await expect.poll(() => page.runs).toBe(2)

    expect(seen[1]).toEqual({ host: 'a.example', scheme: 'https', language: 'de', url: '/page?a=1', method: 'GET' })
  })

  it('does not keep for a visitor what a handler has made without knowing of them', async () => {
    const page = counting((req, res, run) => {
      if (run > 1) res.vary('X-Theme')
      return res.set('Cache-Control', 'max-age=600, stale-while-revalidate=60').set('Age', run === 1 ? '610' : '0').send(`theme ${req.get('x-theme') ?? 'none'}`)
    })
    const site = await openObedientPage(express, page)
    await site.get('/')
    await site.get('/', { 'x-theme': 'dark' })
    await expect.poll(() => page.runs).toBe(2)

    await expect.poll(async () => (await site.get('/')).headers.vary).toBe('X-Theme')
    expect((await site.get('/', { 'x-theme': 'dark' })).body).toBe('theme dark')
    expect((await site.get('/')).body).toBe('theme none')
  })

  it.each(['room', 'key'] as const)('does not keep under a %s what a handler has made behind a stale response for another one', async (name) => {
    const tenant = (req: Request): string => req.get('x-tenant') ?? 'nobody'
    const page = counting(stale('public, stale-while-revalidate=60'))
    let asked = 0
    const site = await open(express, (app, cache) => {
      app.use((_req, _res, next) => {
        asked++
        next()
      })
      app.get('/', cacheResponses<Request>({ cache, [name]: tenant }), page)
    })
    await site.get('/', { 'x-tenant': 'a' })
    await site.get('/', { 'x-tenant': 'a' })
    await expect.poll(() => asked).toBe(3)

    expect((await site.get('/', { 'x-tenant': 'a' })).body).toBe('run 1')
    expect(page.runs).toBe(1)
  })

  it('does not keep what another route of an application has answered behind a stale response', async () => {
    const [page, other] = [counting(stale('stale-while-revalidate=60')), counting(stale('stale-while-revalidate=60'))]
    let asked = 0
    const site = await open(express, (app, cache) => {
      // Not mounted, but called: it does not know where it is.
      const inner = express()
      inner.use((_req, _res, next) => {
        asked++
        next()
      })
      inner.use(cacheResponses({ cache }))
      inner.get('/page', page)
      inner.get('/inner/page', other)
      app.use('/inner', (req, res) => void inner(req, res))
    })
    await site.get('/inner/page')
    await site.get('/inner/page')
    await expect.poll(() => asked).toBe(3)
    for (let visit = 0; visit < 3; visit++) await site.get('/inner/page')

    expect(other.runs).toBe(0)
  })

  it('asks the handler where there is no application to ask it behind a stale response', async () => {
    const cache = createCache({ redis: false })
    onTestFinished(() => cache.close())
    const cached = cacheResponses({ cache })
    let runs = 0
    const site = await serve((req, res) => cached(req, res, () => res.setHeader('Cache-Control', 'max-age=600, stale-while-revalidate=60').setHeader('Age', '610').end(`run ${++runs}`)))
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 2')
  })

  it('goes on serving what is stale when who stands before the handler lets nobody in without credentials', async () => {
    const page = counting(stale('public, stale-while-revalidate=60'))
    const site = await open(express, (app, cache) => {
      app.use((req, res, next) => (req.get('authorization') === undefined ? void res.sendStatus(401) : next()))
      app.get('/', cacheResponses({ cache }), page)
    })
    for (let i = 0; i < 3; i++) expect((await site.get('/', { authorization: 'Bearer a' })).body).toBe('run 1')

    expect((await site.get('/')).status).toBe(401)
    expect(page.runs).toBe(1)
  })

  it.each(['must-revalidate', 'proxy-revalidate', 'no-cache'])('serves nothing stale where the handler says %s', async (directive) => {
    const site = await openObedientPage(express, counting(stale(`stale-while-revalidate=60, stale-if-error=60, ${directive}`)))
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 2')
  })

  it.each([
    ['stale-if-error=60', {}],
    ['public', { grace: '1m' }],
  ] as const)('serves what is stale when the handler fails, by %s', async (directives, options) => {
    let isDown = false
    const page = counting((req, res, run) => {
      if (isDown) throw new Error('the database is gone')
      return stale(directives)(req, res, run)
    })
    const site = await openObedientPage(express, page, options)
    const good = await site.get('/')
    isDown = true
    const answer = await site.get('/')
    expect([answer.status, answer.body, answer.headers.etag, answer.headers['content-type']]).toEqual([200, 'run 1', good.headers.etag, good.headers['content-type']])
    expect(answer.headers['content-security-policy']).toBeUndefined()
    isDown = false

    expect((await site.get('/')).body).toBe('run 3')
  })

  it.each([{ directives: 'public', grace: 0 }, { directives: 's-maxage=10', grace: '1m' as const }, { directives: 'must-revalidate', grace: '1m' as const }])('shows the failure of the handler where nothing stale may be shown: %o', async ({ directives, grace }) => {
    const page = counting((req, res, run) => (run > 1 ? res.status(503).send('down') : stale(directives)(req, res, run)))
    const site = await openObedientPage(express, page, { grace })
    await site.get('/')

    expect((await site.get('/')).status).toBe(503)
  })

  it('serves what was expired by hand when the handler fails, and nothing that was invalidated', async () => {
    let isDown = false
    const site = await openObedientPage(express, counting((_req, res) => (isDown ? res.sendStatus(503) : res.set('Cache-Control', 'max-age=60').send('page'))), { room: '1', grace: '1m' })
    await site.get('/')
    isDown = true
    await site.cache.expire({ room: '1' })
    expect((await site.get('/')).body).toBe('page')
    await site.cache.invalidate({ room: '1' })

    expect((await site.get('/')).status).toBe(503)
  })

  it('gives all who wait for a handler that fails what is stale', async () => {
    let fail = (): void => {}
    const page = counting((req, res, run) => (run === 1 ? stale('stale-if-error=60')(req, res, run) : (fail = () => void res.sendStatus(503))))
    const site = await openObedientPage(express, page)
    await site.get('/')
    const answers = Promise.all(Array.from({ length: 10 }, () => site.get('/')))
    await expect.poll(() => site.cache.stats().coalesced).toBe(9)
    fail()

    expect((await answers).map(({ body }) => body)).toEqual(Array.from({ length: 10 }, () => 'run 1'))
    expect(page.runs).toBe(2)
  })
})
