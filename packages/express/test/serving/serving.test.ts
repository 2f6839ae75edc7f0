import { cacheResponses } from '@tiercel/express'
import compression from 'compression'
import type { Request } from 'express'
import { expect, it } from 'vitest'
import { counting } from '../safety/counting.js'
import { openObedientPage, openPage } from '../safety/page.js'
import { open } from '../safety/site.js'
import { onBothVersions } from '../safety/versions.js'

onBothVersions((express) => {
  it('says of each answer where it came from', async () => {
    const page = counting((req, res) => (req.path === '/private' ? res.set('Cache-Control', 'private') : res).send('page'))
    const site = await openPage(express, page)
    const status = async (path: string, headers = {}): Promise<unknown> => (await site.get(path, headers)).headers['cache-status']

    expect(await status('/')).toBe('tiercel; fwd=uri-miss; stored')
    expect(await status('/')).toMatch(/^tiercel; hit; ttl=([1-5]\d|60)$/)
    expect(await status('/private')).toBe('tiercel; fwd=uri-miss; detail=private')
    expect(await status('/new', { range: 'bytes=0-1' })).toBe('tiercel; fwd=bypass; detail=miss')
  })

  it('says it under another name, or not at all', async () => {
    expect((await (await openPage(express, counting(), { cacheStatus: 'edge' })).get('/')).headers['cache-status']).toBe('edge; fwd=uri-miss; stored')
    expect((await (await openPage(express, counting(), { cacheStatus: false })).get('/')).headers['cache-status']).toBeUndefined()
  })

  it('answers HEAD and ranges from what a GET has stored', async () => {
    const page = counting((_req, res) => res.send('0123456789'))
    const site = await openPage(express, page)
    await site.get('/')
    const head = await site.send('/', { method: 'HEAD' })
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '10', ''])
    const part = await site.get('/', { range: 'bytes=2-4' })
    expect([part.status, part.headers['content-range'], part.body]).toEqual([206, 'bytes 2-4/10', '234'])

    expect(page.runs).toBe(1)
  })

  it('leaves methods alone that it was not told of', async () => {
    const page = counting()
    const site = await openPage(express, page, { methods: ['HEAD'] })
    await site.get('/')
    await site.get('/')
    expect(page.runs).toBe(2)
  })

  it('prefers what the handler says to the ttl of the route', async () => {
    const page = counting((_req, res, run) => res.set('Cache-Control', 'max-age=0').send(`run ${run}`))
    const site = await openPage(express, page, { ttl: '1h' })
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 2')
  })

  it('obeys a targeted field before Cache-Control', async () => {
    const page = counting((_req, res, run) => res.set('Cache-Control', 'no-store').set('Tiercel-Cache-Control', 'max-age=60').send(`run ${run}`))
    const site = await openObedientPage(express, page)
    await site.get('/')
    const second = await site.get('/')
    expect([second.body, second.headers['cache-control']]).toEqual(['run 1', 'no-store'])

    const other = await openObedientPage(express, counting((_req, res, run) => res.set('Cache-Control', 'max-age=60').set('CDN-Cache-Control', 'no-store').send(`run ${run}`)), { targeted: ['CDN-Cache-Control'] })
    await other.get('/')
    expect((await other.get('/')).body).toBe('run 2')
  })

  it('reads Cache-Control where a targeted field is malformed', async () => {
    const site = await openObedientPage(express, counting((_req, res, run) => res.set('Cache-Control', 'max-age=60').set('Tiercel-Cache-Control', 'no-store, "').send(`run ${run}`)))
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 1')
  })

  it.each([['max-age="60"', 'no-store'], ['max-age=60.5', 'no-store'], ['max-age', 'no-store'], ['s-maxage=:NjA=:, no-store', 'max-age=60']])('makes no number of a targeted %j that is none, beside %s', async (targeted, field) => {
    const site = await openObedientPage(express, counting((_req, res, run) => res.set('Cache-Control', field).set('Tiercel-Cache-Control', targeted).send(`run ${run}`)))
    await site.get('/')

    const second = await site.get('/')
    expect([second.body, second.headers['cache-status']]).toEqual(['run 2', expect.not.stringContaining('stored')])
  })

  it.each(['0, 7200', '0, 0', 'abc', '-7200', '7200.0', ''])('takes a page of an Age of %j for new', async (age) => {
    const site = await openObedientPage(express, counting((_req, res, run) => res.set('Cache-Control', 'max-age=3600').set('Age', age).send(`run ${run}`)))
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 1')
  })

  it.each(['7200, 0', '7200;foo=bar', '99999999999', '9'.repeat(400)])('takes a page of an Age of %j for old', async (age) => {
    const site = await openObedientPage(express, counting((_req, res, run) => res.set('Cache-Control', 'max-age=3600').set('Age', age).send(`run ${run}`)))
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 2')
  })

  it('keeps responses in the groups they name, by which they can be invalidated as by tags', async () => {
    const site = await openPage(express, counting((_req, res, run) => res.set('Cache-Groups', '"list", "detail";x=1').send(`run ${run}`)))
    await site.get('/')
    expect((await site.get('/')).body).toBe('run 1')
    await site.cache.invalidate({ tag: 'detail' })

    expect((await site.get('/')).body).toBe('run 2')
  })

  it('gives those with credentials nothing that was made for visitors without', async () => {
    const page = counting((req, res) => res.send(`for ${req.get('authorization') ?? req.get('cookie') ?? 'nobody'}`))
    const site = await openPage(express, page)
    expect((await site.get('/')).body).toBe('for nobody')

    expect((await site.get('/', { authorization: 'Bearer a' })).body).toBe('for Bearer a')
    expect((await site.get('/', { cookie: 'sid=a' })).body).toBe('for sid=a')
    expect((await site.get('/')).body).toBe('for nobody')
    expect(page.runs).toBe(3)
  })

  it('forgets by room, tag and pattern', async () => {
    const site = await openPage(express, counting(), { room: (req: Request) => req.path.slice(1) || undefined, tags: ['pages'] })
    const get = async (path: string): Promise<string> => (await site.get(path, { host: 'a.example' })).body
    expect([await get('/1'), await get('/2'), await get('/1')]).toEqual(['run 1', 'run 2', 'run 1'])
    await site.cache.invalidate({ room: '1' })
    expect([await get('/1'), await get('/2')]).toEqual(['run 3', 'run 2'])
    await site.cache.invalidatePattern('GET http://a.example/2*')
    expect([await get('/1'), await get('/2')]).toEqual(['run 3', 'run 4'])
    await site.cache.invalidateTag('pages')
    expect([await get('/1'), await get('/2')]).toEqual(['run 5', 'run 6'])
  })

  it('keeps a variant for each value of what a page varies by, also in the order of preference', async () => {
    const page = counting((req, res) => res.vary('Accept').send(String(req.get('accept'))))
    const site = await openPage(express, page)
    for (let round = 0; round < 2; round++) for (const accept of ['a/b, c/d', 'c/d, a/b', 'a/b;q=0.5']) expect((await site.get('/', { accept })).body).toBe(accept)
    expect((await site.get('/', { accept: 'A/B,c/d' })).body).toBe('a/b, c/d')

    expect(page.runs).toBe(3)
  })

  it('gives who likes one language best the page in that language', async () => {
    const page = counting((req, res) => {
      const language = req.acceptsLanguages('de', 'en') || 'en'
      res.vary('Accept-Language').set('Content-Language', language).send(`in ${language}`)
    })
    const site = await openPage(express, page)
    const ask = async (language: string): Promise<string> => (await site.get('/', { 'accept-language': language })).body
    expect(await ask('de, en;q=0.5')).toBe('in de')
    expect(await ask('fr;q=0.3, DE')).toBe('in de')
    expect(page.runs).toBe(1)
    expect(await ask('en, de;q=0.5')).toBe('in en')
    expect(await ask('de;q=0.5, en;q=0.5')).toBe('in de')

    expect(page.runs).toBe(3)
  })

  it('forgets all variants of a page with it', async () => {
    const page = counting((req, res, run) => (req.method === 'GET' ? res.vary('X-A').send(`run ${run}`) : res.sendStatus(204)))
    const site = await openPage(express, page)
    for (const a of ['1', '2', '3']) await site.get('/', { 'x-a': a })
    expect((await site.get('/', { 'x-a': '2' })).body).toBe('run 2')
    await site.send('/', { method: 'DELETE' })

    expect(await Promise.all(['2'].map(async (a) => (await site.get('/', { 'x-a': a })).body))).toEqual(['run 5'])
  })

  it('keeps what compression has made of a page for each coding, or leaves compression in front of it to its work', async () => {
    const body = 'compress me '.repeat(500)
    for (const isInside of [true, false]) {
      const page = counting((_req, res) => res.type('text').send(body))
      const site = await open(express, (app, cache) => {
        const cached = cacheResponses({ cache, ttl: '1m' })
        app.use(...(isInside ? [cached, compression()] : [compression(), cached]))
        app.use(page)
      })
      for (let round = 0; round < 2; round++) {
        const packed = await site.get('/', { 'accept-encoding': 'gzip' })
        expect([packed.headers['content-encoding'], packed.bytes.length < 1000]).toEqual(['gzip', true])
        expect((await site.get('/')).body).toBe(body)
      }
      expect(page.runs).toBe(isInside ? 2 : 1)
    }
  })

  it.each([0, 1, 2048, 2049])('gives every byte back as it was, of %i', async (length) => {
    const body = Buffer.from(Array.from({ length }, (_, i) => 255 - (i % 256)))
    const page = counting((_req, res) => res.send(body))
    const site = await open(express, (app, cache) => {
      app.use((_req, res, next) => {
        res.set('X-Name', 'caf\u00e9')
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), page)
    })
    for (let visit = 0; visit < 2; visit++) {
      const { bytes, headers } = await site.get('/')
      expect([bytes.equals(body), headers['content-length'], headers['x-name']]).toEqual([true, String(length), 'caf\u00e9'])
    }
    expect(page.runs).toBe(1)
  })

  it('hands the bytes of a hit to who has put itself in front of the client', async () => {
    const given: unknown[][] = []
    const page = counting((_req, res) => res.type('text').send('caf\u00e9'))
    const site = await open(express, (app, cache) => {
      app.use((_req, res, next) => {
        const { end } = res
        res.end = (...args: unknown[]) => {
          given.push(args)
          return Reflect.apply(end, res, args) as typeof res
        }
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), page)
    })
    for (let visit = 0; visit < 2; visit++) expect((await site.get('/')).body).toBe('caf\u00e9')
    expect([page.runs, given[1]]).toEqual([1, [Buffer.from('caf\u00e9')]])
  })

  it('answers a route of a mounted application and of a router, by their whole URL', async () => {
    const page = counting((req, res, run) => res.send(`${req.params.id} ${run}`))
    const site = await open(express, (app, cache) => {
      const mounted = express()
      const router = express.Router()
      router.get('/:id', cacheResponses<Request>({ cache, ttl: '1m', room: (req) => String(req.params.id) }), page)
      mounted.use('/router', router)
      app.use('/app', mounted)
    })
    for (const id of ['1', '2', '1', '2']) expect((await site.get(`/app/router/${id}`)).body).toBe(`${id} ${id}`)
  })
})
