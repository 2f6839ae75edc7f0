import { setTimeout as pause } from 'node:timers/promises'
import { cacheResponses, invalidateResponses } from '@tiercel/express'
import type { Request, RequestHandler } from 'express'
import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { gate } from './gate.js'
import { openPage } from './page.js'
import { open, type Site } from './site.js'
import { onBothVersions, type ExpressModule } from './versions.js'

/** Pages of rooms, and a way to write to a room. */
function openRooms(express: ExpressModule): Promise<Site> {
  return open(express, (app, cache) => {
    app.get('/rooms/:id', cacheResponses<Request>({ cache, ttl: '1m', room: (req) => String(req.params.id), tags: (req) => [`tag:${String(req.params.id)}`] }), counting())
    app.post('/rooms/:id', invalidateResponses<Request>({ cache, room: (req) => String(req.params.id) }), (req, res) => void res.sendStatus(req.query.fail === undefined ? 204 : 500))
  })
}

onBothVersions((express) => {
  it('shows what was written as soon as the write is answered', async () => {
    const site = await openRooms(express)
    expect((await site.get('/rooms/1')).body).toBe('run 1')
    await site.send('/rooms/1', { method: 'POST' })

    expect((await site.get('/rooms/1')).body).toBe('run 2')
  })

  it('forgets what was written to by the address it was sent to, though it is taken elsewhere behind the cache', async () => {
    const site = await open(express, (app, cache) => {
      app.use(cacheResponses({ cache, ttl: '1m' }), (req, _res, next) => {
        req.originalUrl = `/v2${req.originalUrl}`
        req.url = `/v2${req.url}`
        next()
      })
      app.all('/v2/page', counting())
    })
    await site.get('/page')
    expect((await site.get('/page')).body).toBe('run 1')
    await site.send('/page', { method: 'POST' })

    expect((await site.get('/page')).body).toBe('run 3')
  })

  it('forgets nothing for a write that failed', async () => {
    const site = await openRooms(express)
    await site.get('/rooms/1')
    await site.send('/rooms/1?fail=1', { method: 'POST' })

    expect((await site.get('/rooms/1')).body).toBe('run 1')
  })

  it('forgets what a write names by its parameters, though somebody behind the route answers it', async () => {
    const site = await open(express, (app, cache) => {
      app.get('/rooms/:id', cacheResponses({ cache, ttl: '1m', room: (req) => String(req.params.id) }), counting())
      app.put('/rooms/:id', invalidateResponses({ cache, room: (req) => req.params.id }), (_req, _res, next) => next())
      app.use((_req, res) => void res.sendStatus(204))
    })
    await site.get('/rooms/1')
    await site.send('/rooms/1', { method: 'PUT' })

    expect((await site.get('/rooms/1')).body).toBe('run 2')
  })

  it('forgets what was written though the writer hangs up in the middle of the answer', async () => {
    const begun = gate()
    const site = await open(express, (app, cache) => {
      app.get('/', cacheResponses({ cache, ttl: '1m', room: '1' }), counting())
      app.put('/', invalidateResponses({ cache, room: '1' }), (_req, res) => {
        res.write('half')
        begun.open()
      })
    })
    await site.get('/')
    const hungUp = new AbortController()
    const write = site.send('/', { method: 'PUT', signal: hungUp.signal }).catch(() => {})
    await begun.opened
    hungUp.abort()
    await write

    await expect.poll(async () => (await site.get('/')).body).toBe('run 2')
  })

  const answers: [string, RequestHandler][] = [
    ['ends it once more', (_req, res) => void res.end()],
    ['ends it once more with another', (_req, res) => void res.end('second')],
    ['writes on', (_req, res) => void res.write('second')],
    ['fails', (_req, _res, next) => next(new Error('too late'))],
    ['begins another', (_req, res) => void res.writeHead(500, { 'X-Second': '1' })],
  ]
  it.each(answers)('answers a write by the first answer of its handler, though that then %s', async (_name, then) => {
    const handler: RequestHandler = (req, res, next) => {
      res.status(201).json({ ok: true })
      void then(req, res, next)
    }
    const site = await open(express, (app, cache) => {
      // As slow as over a network, or what comes too late would come too late for the test.
      const invalidate = cache.invalidate.bind(cache)
      cache.invalidate = async (target) => {
        await pause(20)
        return invalidate(target)
      }
      app.put('/', invalidateResponses({ cache, room: '1' }), handler)
    })
    const answer = await site.send('/', { method: 'PUT' })

    expect([answer.status, answer.body, answer.complete, answer.headers['x-second']]).toEqual([201, '{"ok":true}', true, undefined])
  })

  it.each(['*', '?', '[a-z0-9]', '**', '%2A', '__proto__', '..%2F1', '1%00', '%5C*'])('forgets no other room for a visitor who calls theirs %s', async (name) => {
    const site = await openRooms(express)
    const before = (await site.get('/rooms/1')).body
    expect((await site.send(`/rooms/${encodeURIComponent(name)}`, { method: 'POST' })).status).toBeLessThan(300)

    expect((await site.get('/rooms/1')).body).toBe(before)
  })

  it.each(['*', '/*', '/rooms/?', '[a-z]', '%', '\\'])('forgets no other address for a visitor who names %s', async (url) => {
    const site = await open(express, (app, cache) => {
      app.get('/rooms/:id', cacheResponses({ cache, ttl: '1m' }), counting())
      app.post('/forget', invalidateResponses<Request>({ cache, urls: (req) => [String(req.query.url)] }), (_req, res) => void res.sendStatus(204))
    })
    const before = (await site.get('/rooms/1')).body
    await site.send(`/forget?url=${encodeURIComponent(url)}`, { method: 'POST' })
    expect((await site.get('/rooms/1')).body).toBe(before)

    await site.send('/forget?url=/rooms/1', { method: 'POST' })
    expect((await site.get('/rooms/1')).body).not.toBe(before)
  })

  it.each(['list', '__proto__', 'constructor'])('forgets the pages of a group when a write says so, and those of no other: %s', async (group) => {
    const page = counting((req, res, run) => {
      if (req.method === 'GET') return res.set('Cache-Groups', req.path === '/a' ? `"${group}"` : '"other"').send(`run ${run}`)
      return res.set('Cache-Group-Invalidation', `"${group}"`).sendStatus(204)
    })
    const site = await openPage(express, page)
    const other = (await site.get('/b')).body
    const before = (await site.get('/a')).body
    expect((await site.get('/a')).body).toBe(before)
    await site.send('/write', { method: 'POST' })

    expect((await site.get('/a')).body).not.toBe(before)
    expect((await site.get('/b')).body).toBe(other)
  })

  it('lets no visitor forget the pages of a group', async () => {
    const page = counting((req, res, run) => res.set('Cache-Groups', '"list"').status(req.method === 'GET' ? 200 : 204).send(`run ${run}`))
    const site = await openPage(express, page)
    await site.get('/a')
    await site.send('/b', { method: 'POST', headers: { 'cache-group-invalidation': '"list"' } })

    expect((await site.get('/a')).body).toBe('run 1')
  })

  it('keeps nothing of a page that was made before what it shows was invalidated', async () => {
    const [begun, released] = [gate(), gate()]
    const site = await openPage(
      express,
      counting((_req, res, run) => {
        if (run > 1) return void res.send('new')
        begun.open()
        return void released.opened.then(() => res.send('old'))
      }),
      { room: '1' },
    )
    const first = site.get('/')
    await begun.opened
    await site.cache.invalidate({ room: '1' })
    const second = site.get('/')
    released.open()
    expect((await first).body).toBe('old')

    expect((await second).body).toBe('new')
    expect((await site.get('/')).body).toBe('new')
  })

  it('keeps what stands before it in force: who may not see a page is not shown the kept one', async () => {
    const site = await open(express, (app, cache) => {
      app.use((req, res, next) => (req.get('x-key') === 'right' ? next() : void res.sendStatus(401)))
      app.get('/rooms/:id', cacheResponses({ cache, ttl: '1m' }), counting())
    })
    expect((await site.get('/rooms/1', { 'x-key': 'right' })).status).toBe(200)

    expect((await site.get('/rooms/1')).status).toBe(401)
  })

  it('keeps the pages of two routers apart that have the same paths', async () => {
    const site = await open(express, (app, cache) => {
      for (const name of ['red', 'blue']) {
        const router = express.Router()
        router.get('/page', cacheResponses({ cache, ttl: '1m' }), (_req, res) => void res.send(name))
        app.use(`/${name}`, router)
      }
    })

    for (let round = 0; round < 2; round++) {
      expect((await site.get('/red/page')).body).toBe('red')
      expect((await site.get('/blue/page')).body).toBe('blue')
    }
  })

  it('keeps the pages of two applications apart that are mounted in one', async () => {
    const site = await open(express, (app, cache) => {
      for (const name of ['red', 'blue']) {
        const mounted = express()
        mounted.use(cacheResponses({ cache, ttl: '1m' }))
        mounted.get('/page', (_req, res) => void res.send(name))
        app.use(`/${name}`, mounted)
      }
    })

    for (let round = 0; round < 2; round++) {
      expect((await site.get('/red/page')).body).toBe('red')
      expect((await site.get('/blue/page')).body).toBe('blue')
    }
  })
})
