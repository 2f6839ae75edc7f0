import { cacheResponses } from '@tiercel/express'
import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { openPage } from './page.js'
import { open } from './site.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE'])('hands every %s to the handler, and keeps nothing of it', async (method) => {
    const site = await openPage(express, counting((req, res, run) => res.send(`${req.method} ${run}`)))
    await site.get('/')

    expect((await site.send('/', { method })).body).toBe(`${method} 2`)
    expect((await site.send('/', { method })).body).toBe(`${method} 3`)
    await site.send('/other', { method })
    expect((await site.get('/other')).body).toBe('GET 5')
  })

  it('lets a preflight through to what answers it', async () => {
    const site = await open(express, (app, cache) => {
      app.use(cacheResponses({ cache, ttl: '1m' }))
      app.use((req, res, next) => {
        if (req.method !== 'OPTIONS') return next()
        return void res.set('Access-Control-Allow-Origin', req.get('origin')).status(204).end()
      })
      app.use(counting())
    })
    const preflight = (origin: string): Promise<unknown> =>
      site.send('/', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } }).then(({ headers }) => headers['access-control-allow-origin'])

    expect(await preflight('https://a.example')).toBe('https://a.example')
    expect(await preflight('https://b.example')).toBe('https://b.example')
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('forgets a page after a %s to it, and what it says has moved', async (method) => {
    const page = counting((req, res, run) => (req.method === 'GET' ? res.send(`run ${run}`) : res.set('Location', '/list').set('Content-Location', '/detail?x=1').sendStatus(201)))
    const site = await openPage(express, page)
    const addresses = ['/item', '/list', '/detail?x=1']
    const before = await Promise.all(addresses.map(async (path) => (await site.get(path)).body))
    await site.send('/item', { method })

    for (const [i, path] of addresses.entries()) expect((await site.get(path)).body).not.toBe(before[i])
  })

  it('forgets nothing after a write that failed', async () => {
    const page = counting((req, res, run) => (req.method === 'GET' ? res.send(`run ${run}`) : res.sendStatus(409)))
    const site = await openPage(express, page)
    await site.get('/item')
    await site.send('/item', { method: 'PUT' })

    expect((await site.get('/item')).body).toBe('run 1')
  })

  it('lets nobody make it forget the pages of another host', async () => {
    const page = counting((req, res, run) => (req.method === 'GET' ? res.send(`run ${run}`) : res.set('Location', 'http://good.example/list').set('Content-Location', '//good.example/list').sendStatus(201)))
    const site = await openPage(express, page)
    const list = async (): Promise<string> => (await site.get('/list', { host: 'good.example' })).body
    const before = await list()
    await site.send('/item', { method: 'POST', headers: { host: 'evil.example' } })

    expect(await list()).toBe(before)
  })

  it('forgets no page of its own for what is said of another host', async () => {
    const page = counting((req, res, run) => (req.method === 'GET' ? res.send(`run ${run}`) : res.set('Location', 'http://other.example/list').set('Content-Location', '//other.example/list').sendStatus(201)))
    const site = await openPage(express, page)
    const before = (await site.get('/list')).body
    await site.send('/item', { method: 'POST' })

    expect((await site.get('/list')).body).toBe(before)
  })

  it('gives visitors no way to make it forget', async () => {
    const page = counting()
    const site = await openPage(express, page)
    await site.get('/')
    const tries = [
      { method: 'GET', headers: { 'cache-control': 'no-cache', pragma: 'no-cache' } },
      { method: 'GET', headers: { 'cache-control': 'max-age=0' } },
      { method: 'GET', headers: { 'cache-control': 'no-store' } },
      { method: 'GET', headers: { 'x-apicache-bypass': '1', 'x-cache-bypass': '1', 'x-no-cache': '1', 'x-purge': '1', 'cache-group-invalidation': '"all"' } },
      { method: 'GET', headers: { 'surrogate-control': 'no-store', 'cdn-cache-control': 'no-store' } },
      { method: 'HEAD', headers: { 'cache-control': 'no-cache' } },
    ]
    for (const { method, headers } of tries) await site.send('/', { method, headers })

    expect((await site.get('/?purge=1')).status).toBe(200)
    expect((await site.get('/')).body).toBe('run 1')
  })

  it('answers 504 for a visitor who wants nothing but what is kept, without asking the handler', async () => {
    const page = counting()
    const site = await openPage(express, page, { requestDirectives: true })

    expect((await site.get('/', { 'cache-control': 'only-if-cached' })).status).toBe(504)
    expect(page.runs).toBe(0)
    await site.get('/')
    expect((await site.get('/', { 'cache-control': 'only-if-cached' })).body).toBe('run 1')
  })

  it.each(['must-revalidate', 'proxy-revalidate', 's-maxage=1'])('serves nobody what is too old, however old they say it may be, where the handler says %s', async (directive) => {
    const site = await openPage(
      express,
      counting((_req, res, run) => res.set('Cache-Control', `max-age=1, ${directive}`).set('Age', run === 1 ? '10' : '0').send(`run ${run}`)),
      { ttl: undefined, requestDirectives: true },
    )
    await site.get('/')

    expect((await site.get('/', { 'cache-control': 'max-stale=3600' })).body).toBe('run 2')
  })

  it('shows nobody the keys, rooms and tags of what is kept', async () => {
    const site = await openPage(express, counting(), { room: () => 'secret-room', tags: ['secret-tag'], key: () => 'secret-key' })

    for (let round = 0; round < 2; round++) expect((await site.get('/')).rawHeaders.join('\n')).not.toContain('secret')
  })
})
