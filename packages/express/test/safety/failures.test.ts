import { Readable } from 'node:stream'
import { cacheResponses } from '@tiercel/express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { expect, it, onTestFinished, vi } from 'vitest'
import { counting } from './counting.js'
import { gate } from './gate.js'
import { openObedientPage, openPage } from './page.js'
import { open } from './site.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  it.each([400, 401, 403, 404, 405, 408, 410, 413, 414, 415, 429, 431, 500, 501, 502, 503, 504])('shows nobody the %s of another visitor', async (status) => {
    const site = await openPage(
      express,
      counting((_req, res, run) => (run === 1 ? res.status(status).set('Retry-After', '60').send('no') : res.send('page'))),
    )
    expect((await site.get('/')).status).toBe(status)

    expect((await site.get('/')).body).toBe('page')
  })

  it.each([400, 403, 404, 429, 500, 503])('shows nobody the %s of another visitor, though the handler says how long it is good for', async (status) => {
    const site = await openObedientPage(
      express,
      counting((_req, res, run) => (run === 1 ? res.status(status).set('Cache-Control', 'public, max-age=60').send('no') : res.send('page'))),
    )
    expect((await site.get('/')).status).toBe(status)

    expect((await site.get('/')).body).toBe('page')
  })

  it('keeps of errors, where it may, only those whose handler says how long they are good for', async () => {
    const site = await openPage(express, counting((req, res, run) => res.status(404).set(req.path === '/gone' ? { 'Cache-Control': 'max-age=60' } : {}).send(`run ${run}`)), { errors: true })
    for (const path of ['/gone', '/other']) await site.get(path)

    expect((await site.get('/gone')).body).toBe('run 1')
    expect((await site.get('/other')).body).toBe('run 3')
  })

  it('shows nobody the error that another visitor provoked by a header', async () => {
    const site = await openPage(express, (req, res) => {
      // As frameworks do that meet a header they cannot read, or one that is too long for them.
      if ((req.get('x-meta') ?? '').length > 4000) return void res.status(400).send('header too large')
      return void res.set('X-Echo', Buffer.from(req.get('x-meta') ?? '', 'latin1').toString()).send('page')
    })
    expect((await site.get('/', { 'x-meta': 'x'.repeat(5000) })).status).toBe(400)
    await site.raw('GET / HTTP/1.1\r\nHost: a\r\nX-Meta: \u0001\u0007\r\nConnection: close\r\n\r\n')

    expect((await site.get('/')).body).toBe('page')
    expect((await site.get('/', { host: 'a' })).body).toBe('page')
  })

  it('survives headers too large to read, and answers the next visitor', async () => {
    const site = await openPage(express, counting())
    const answer = await site.raw(`GET / HTTP/1.1\r\nHost: a\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`)

    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
    expect((await site.get('/')).status).toBe(200)
  })

  it('shows nobody a page that broke off', async () => {
    const site = await openPage(
      express,
      counting((_req, res, run) => {
        if (run > 1) return void res.send('whole page')
        res.write('half a ')
        return setImmediate(() => res.destroy())
      }),
    )
    await site.get('/').catch(() => {})

    const second = await site.get('/')
    expect([second.body, second.complete]).toEqual(['whole page', true])
  })

  it('shows nobody a page that is shorter than it says', async () => {
    const answered = gate()
    const site = await openPage(
      express,
      counting((_req, res, run) => {
        if (run > 1) return void res.send('whole page')
        res.writeHead(200, { 'Content-Length': 100 })
        res.write('half a ')
        res.end()
        return answered.open()
      }),
    )
    const hungUp = new AbortController()
    const first = site.send('/', { signal: hungUp.signal }).catch(() => {})
    await answered.opened
    hungUp.abort()
    await first

    const second = await site.get('/')
    expect([second.body, second.complete]).toEqual(['whole page', true])
  })

  it('shows nobody a page that is longer than it says', async () => {
    const site = await openPage(
      express,
      counting((_req, res, run) => {
        if (run > 1) return void res.send('whole page')
        res.writeHead(200, { 'Content-Length': 4 })
        return res.end('half and more than that')
      }),
    )
    await site.get('/').catch(() => {})

    expect((await site.get('/')).body).not.toContain('half')
  })

  it('shows nobody a page whose handler failed halfway', async () => {
    const site = await openPage(
      express,
      counting((_req, res, run) => {
        if (run > 1) return void res.send('whole page')
        res.write('half a ')
        throw new Error('the database is gone')
      }),
    )
    await site.get('/').catch(() => {})

    expect((await site.get('/')).body).toBe('whole page')
  })

  it.each([{}, { 'if-none-match': '*' }])('shows nobody the error of a handler that failed halfway, to whatever the first visitor has already: %o', async (headers) => {
    const page = counting((_req, res) => res.set('ETag', '"v"').write('half '))
    const site = await openPage(express, (req, res, next) => {
      page(req, res)
      if (page.runs > 1) return void res.end('and half')
      return void setImmediate(() => next(new Error('the database is gone')))
    })
    const first = await site.get('/', headers)
    expect([first.status, first.complete]).toEqual('if-none-match' in headers ? [500, true] : [200, false])

    expect((await site.get('/')).body).toBe('half and half')
  })

  it('shows nobody a page that the error handler has ended', async () => {
    const site = await open(express, (app, cache) => {
      const page = counting((_req, res, run) => res.write(`run ${run}, `))
      app.get('/', cacheResponses({ cache, ttl: '1m' }), (req, res, next) => {
        page(req, res)
        if (page.runs > 1) return void res.end('whole')
        return void setImmediate(() => next(new Error('gone')))
      })
      // Looks at what is sent only when it sends.
      app.use(((_error, _req, res, _next) => void res.status(500).end(res.headersSent ? '' : 'failed')) as ErrorRequestHandler)
    })
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 2, whole')
  })

  it.each([123, {}])('answers as without a cache a handler whose page is %j', async (page) => {
    const site = await openPage(express, (_req, res) => void res.end(page as never))

    expect((await site.get('/')).status).toBe(500)
  })

  it('lets nobody wait for a visitor who reads slowly', async () => {
    const begun = gate()
    const page = counting((_req, res) => {
      begun.open()
      Readable.from(['one ', 'two ', 'three']).pipe(res)
    })
    const site = await open(express, (app, cache) => {
      app.use((req, res, next) => {
        // As it looks from here when nothing is read any more.
        const write = res.write.bind(res) as (...args: unknown[]) => boolean
        if (req.headers['x-slow'] !== undefined) res.write = ((...args: unknown[]) => write(...args) && false) as never
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), page)
    })
    const hungUp = new AbortController()
    const slow = site.send('/', { headers: { 'x-slow': '1' }, signal: hungUp.signal }).catch(() => {})
    await begun.opened

    expect((await site.get('/')).body).toBe('one two three')
    expect(page.runs).toBe(1)
    hungUp.abort()
    await slow
  })

  it('answers the others when the visitor hangs up whose request made the page', async () => {
    const [begun, released] = [gate(), gate()]
    const site = await openPage(
      express,
      counting((_req, res, run) => {
        begun.open()
        void released.opened.then(() => res.send(`run ${run}`))
      }),
    )
    const hungUp = new AbortController()
    const leader = site.send('/', { signal: hungUp.signal }).catch(() => 'hung up')
    await begun.opened
    const others = Array.from({ length: 5 }, () => site.get('/'))
    hungUp.abort()
    expect(await leader).toBe('hung up')
    released.open()

    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  })

  const deaths: [string, RequestHandler][] = [
    ['throws', () => {
      throw new Error('gone')
    }],
    ['passes an error on', (_req, _res, next) => next(new Error('gone'))],
    ['passes an error on later', (_req, _res, next) => void setImmediate(() => next(new Error('gone')))],
    ['breaks the connection', (_req, res) => void res.destroy()],
    ['breaks it halfway', (_req, res) => {
      res.write('half')
      setImmediate(() => res.destroy())
    }],
  ]
  it.each(deaths)('answers those who waited for a handler that %s', async (_name, die) => {
    const [begun, released] = [gate(), gate()]
    let runs = 0
    const site = await openPage(express, (req, res, next) => {
      if (++runs > 1) return void res.send('page')
      begun.open()
      const dieLater = async (): Promise<void> => {
        await released.opened
        try {
          await die(req, res, next)
        } catch (error) {
          next(error)
        }
      }
      return void dieLater()
    })
    const leader = site.get('/').catch(() => 'broken')
    await begun.opened
    const others = Array.from({ length: 3 }, () => site.get('/').then(({ status }) => status, () => 'broken'))
    released.open()
    await leader

    // Who waited has the page by a run of their own, or the error; what counts is that they have an answer.
    expect((await Promise.all(others)).every((status) => status === 200 || status === 500)).toBe(true)
    expect((await site.get('/')).body).toBe('page')
  })

  it('lets others run the handler themselves when the one they wait for never ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const [begun, waiting] = [gate(), gate()]
    const page = counting((_req, res, run) => (run > 1 ? res.send(`run ${run}`) : begun.open()))
    const site = await open(express, (app, cache) => {
      app.use((req, _res, next) => {
        next()
        if (req.get('x-second') !== undefined) waiting.open()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m', maxWait: 100 }), page)
    })
    const hungUp = new AbortController()
    const leader = site.send('/', { signal: hungUp.signal }).catch(() => {})
    await begun.opened
    const second = site.get('/', { 'x-second': '1' })
    await waiting.opened
    expect(page.runs).toBe(1)
    vi.advanceTimersByTime(100)

    expect((await second).body).toBe('run 2')
    hungUp.abort()
    await leader
  })

  it.each(['no-cache', 'max-age=0'])('lets nobody wait in vain again for a page that has to be asked for at each use: %s', async (directive) => {
    let [begun, released] = [gate(), gate()]
    let arrived = 0
    const page = counting((req, res, run) => {
      res.set('Cache-Control', directive).set('ETag', '"v"')
      if (req.get('x-slow') === undefined) return void res.send(`run ${run}`)
      begun.open()
      return void released.opened.then(() => res.send(`run ${run}`))
    })
    const site = await open(express, (app, cache) => {
      app.use((_req, _res, next) => {
        arrived++
        next()
      })
      app.get('/', cacheResponses({ cache, maxWait: '10m' }), page)
    })
    // It is remembered for a while only, which does not pass here.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    onTestFinished(() => clock.mockRestore())
    const first = site.get('/', { 'x-slow': '1' })
    await begun.opened
    const others = [site.get('/'), site.get('/')]
    await expect.poll(() => arrived, { timeout: 30_000 }).toBe(3)
    released.open()
    await Promise.all([first, ...others])

    ;[begun, released] = [gate(), gate()]
    const second = site.get('/', { 'x-slow': '1' })
    await begun.opened
    expect((await site.get('/')).status).toBe(200)
    released.open()
    await second
  })
})
