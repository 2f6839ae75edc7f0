import { AsyncLocalStorage } from 'node:async_hooks'
import { cacheResponses } from '@tiercel/express'
import compression from 'compression'
import type { Response } from 'express'
import morgan from 'morgan'
import { expect, it, vi } from 'vitest'
import { ResponseCache } from '../../src/serve/response-cache.js'
import { resolveSettings } from '../../src/settings.js'
import { counting } from './counting.js'
import { gate } from './gate.js'
import { openPage } from './page.js'
import { open } from './site.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  it('lets a log see the status and the length of what was answered from the cache', async () => {
    const lines: string[] = []
    const site = await open(express, (app, cache) => {
      app.use(morgan(':method :url :status :res[content-length] :res[x-a]', { stream: { write: (line) => void lines.push(line.trim()) } }))
      app.get('/', cacheResponses({ cache, ttl: '1m' }), counting((_req, res) => res.status(203).set('X-A', 'a').send('page')))
    })
    await site.get('/')
    await site.get('/')
    await vi.waitUntil(() => lines.length === 2, { timeout: 30_000 })

    expect(lines).toEqual(['GET / 203 4 a', 'GET / 203 4 a'])
  })

  it('tells other middleware that an answer is finished, once for each visitor', async () => {
    const finished: (string | number | boolean)[] = []
    const site = await open(express, (app, cache) => {
      app.use((_req, res, next) => {
        res.on('finish', () => finished.push(res.statusCode, res.headersSent, res.writableEnded))
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), counting())
    })
    await site.get('/')
    await site.get('/')
    await vi.waitUntil(() => finished.length === 6, { timeout: 30_000 })

    expect(finished).toEqual([200, true, true, 200, true, true])
  })

  it('lets a log look at the visitor when the headers are sent, and when all is', async () => {
    const lines: unknown[] = []
    const page = counting((_req, res, run) => {
      res.write(`run ${run}`)
      setImmediate(() => res.end())
    })
    const site = await open(express, (app, cache) => {
      app.use((req, res, next) => {
        for (const name of ['writeHead', 'write', 'end'] as const) {
          const method = res[name].bind(res) as (...args: unknown[]) => unknown
          res[name] = ((...args: unknown[]) => {
            lines.push({ ...req.headers, ip: req.ip })
            return method(...args)
          }) as never
        }
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), page)
    })
    for (let visit = 0; visit < 2; visit++) expect((await site.get('/', { 'x-forwarded-for': 'a' })).body).toBe('run 1')

    expect(lines).toContainEqual(expect.objectContaining({ 'x-forwarded-for': 'a', ip: '127.0.0.1' }))
  })

  it('lets another middleware change the headers when they are sent, for each visitor', async () => {
    let sent = 0
    const site = await open(express, (app, cache) => {
      app.use((_req, res, next) => {
        const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => Response
        res.writeHead = ((...args: unknown[]) => {
          res.setHeader('X-Sent', String(++sent))
          return writeHead(...args)
        }) as never
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), counting())
    })

    expect((await site.get('/')).headers['x-sent']).toBe('1')
    expect((await site.get('/')).headers['x-sent']).toBe('2')
  })

  it('works twice on one request as it does once', async () => {
    const page = counting()
    const site = await open(express, (app, cache) => {
      app.use(cacheResponses({ cache, ttl: '1m' }))
      app.get('/', cacheResponses({ cache, ttl: '1m' }), page)
    })

    for (let visit = 0; visit < 3; visit++) expect((await site.get('/')).body).toBe('run 1')
    expect(page.runs).toBe(1)
  })

  it('does nothing inside of a cache that another copy of the package has made', async () => {
    const copy = (await import('../../src/serve/response-cache.js?another' as string)) as { ResponseCache: typeof ResponseCache }
    expect(copy.ResponseCache).not.toBe(ResponseCache)
    const site = await open(express, (app, cache) => {
      const inner = new copy.ResponseCache(resolveSettings({ cache: cache.namespace('inner'), ttl: '1m' }))
      app.use(cacheResponses({ cache, ttl: '1m' }))
      app.get('/', (req, res, next) => inner.handle(req as never, res, next), counting())
    })

    expect((await site.get('/')).headers['cache-status']).toBe('tiercel; fwd=uri-miss; stored')
  })

  it('does nothing inside of another cache, though there is a proxy around the response by then', async () => {
    const proxied = (res: Response): Response => new Proxy(res, { get: (target, name) => bound(Reflect.get(target, name), target) })
    const page = counting()
    const site = await open(express, (app, cache) => {
      const cached = cacheResponses({ cache, ttl: '1m' })
      const inner = express()
      inner.get('/', cached, page)
      app.use(cached, (req, res) => void inner(req, proxied(res)))
    })

    for (let visit = 0; visit < 2; visit++) expect((await site.get('/')).body).toBe('run 1')
  })

  it('serves two caches in one application that know nothing of each other', async () => {
    const site = await open(express, (app, cache) => {
      app.get('/a', cacheResponses({ cache: cache.namespace('a'), ttl: '1m' }), counting((_req, res, run) => res.send(`a ${run}`)))
      app.get('/b', cacheResponses({ cache: cache.namespace('b'), ttl: '1m' }), counting((_req, res, run) => res.send(`b ${run}`)))
    })

    for (let visit = 0; visit < 2; visit++) expect([(await site.get('/a')).body, (await site.get('/b')).body]).toEqual(['a 1', 'b 1'])
  })

  it('tells the handler truly whether it may write on', async () => {
    const told: boolean[] = []
    const site = await openPage(express, (_req, res) => {
      told.push(res.write('small'))
      told.push(res.write(Buffer.alloc(8 * 1024 * 1024)))
      res.end()
    })
    await site.get('/')

    expect(told).toEqual([true, false])
  })

  it('calls back when a part is written and when all is', async () => {
    const called: string[] = []
    const site = await openPage(express, (_req, res) => {
      res.write('a', () => called.push('first'))
      res.write('b', 'utf8', () => called.push('second'))
      res.end('c', () => called.push('end'))
    })
    expect((await site.get('/')).body).toBe('abc')

    await vi.waitUntil(() => called.length === 3, { timeout: 30_000 })
    expect(called.toSorted()).toEqual(['end', 'first', 'second'])
  })

  it('keeps a copy of what was written, though the handler uses the memory again', async () => {
    const pool = Buffer.from('first')
    const site = await openPage(express, (_req, res) => {
      res.end(pool, () => pool.write('later'))
    })
    expect((await site.get('/')).body).toBe('first')
    await vi.waitUntil(() => pool.toString() === 'later', { timeout: 30_000 })

    expect((await site.get('/')).body).toBe('first')
  })

  it('lets whoever waits for another go on as themselves', async () => {
    const who = new AsyncLocalStorage<string>()
    const [begun, released] = [gate(), gate()]
    const seen: string[] = []
    const site = await open(express, (app, cache) => {
      app.use((req, res, next) => {
        who.run(req.get('x-me') ?? '', () => {
          res.on('finish', () => seen.push(`${req.get('x-me')} is ${who.getStore()}`))
          next()
        })
      })
      app.get('/', cacheResponses({ cache, ttl: '1m' }), counting((_req, res, run) => {
        begun.open()
        if (run === 1) return void released.opened.then(() => res.destroy())
        return void res.send(`page for ${who.getStore()}`)
      }))
    })
    const leader = site.get('/', { 'x-me': 'a' }).catch(() => {})
    await begun.opened
    const waiter = site.get('/', { 'x-me': 'b' }).catch(() => ({ body: 'broken' }))
    released.open()
    await leader

    expect(['page for b', 'broken']).toContain((await waiter).body)
    expect(seen.filter((line) => /^a is b|^b is a/.test(line))).toEqual([])
  })

  it('lets a handler fail later as it would without the cache, and holds nobody up', async () => {
    const site = await openPage(express, (_req, _res, next) => void setImmediate(() => next(new Error('gone'))))

    expect((await site.get('/')).status).toBe(500)
    expect((await site.get('/')).status).toBe(500)
  })

  it('leaves what a handler may look up about its own answer as it is', async () => {
    const seen: unknown[] = []
    const site = await openPage(express, (_req, res) => {
      res.set('X-A', '1')
      seen.push(res.headersSent, res.get('x-a'), res.getHeaderNames().includes('x-a'), res.writableEnded)
      res.write('page')
      seen.push(res.headersSent)
      res.end()
      seen.push(res.writableEnded)
    })
    await site.get('/')

    expect(seen).toEqual([false, '1', true, false, true, true])
  })

  it('refuses a second answer of a handler as Node does', async () => {
    const failures: unknown[] = []
    const site = await openPage(
      express,
      counting((_req, res, run) => {
        res.on('error', (error: NodeJS.ErrnoException) => failures.push(error.code))
        res.send(`run ${run}`)
        try {
          res.setHeader('X-Late', '1')
        } catch (error) {
          failures.push((error as NodeJS.ErrnoException).code)
        }
        res.end('again')
      }),
    )

    for (let visit = 0; visit < 2; visit++) expect((await site.get('/')).body).toBe('run 1')
    expect(failures).toEqual(['ERR_HTTP_HEADERS_SENT', 'ERR_STREAM_WRITE_AFTER_END'])
  })

  it('answers a handler that demands exact lengths as it would without the cache', async () => {
    const site = await openPage(express, (_req, res) => {
      res.strictContentLength = true
      res.set('Content-Length', '4').end('page')
    })

    for (let visit = 0; visit < 3; visit++) expect((await site.get('/')).body).toBe('page')
  })

  it('holds on to nothing of a request that is over', async () => {
    const site = await openPage(express, counting((_req, res, run) => res.set('Cache-Control', 'no-store').send(`run ${run}`)))
    for (let visit = 0; visit < 20; visit++) await site.get('/')

    expect(site.cache.stats().loads.running).toBe(0)
    expect(site.cache.stats().memory.entries).toBeLessThan(3)
  })

  it('keeps a connection usable after an answer from the cache', async () => {
    const site = await openPage(express, counting())
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const answers = await site.raw(`${request}${request}HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${request}${request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`)

    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(5)
    expect(answers.match(/run 1/g)).toHaveLength(4)
  })

  it('answers a client of HTTP/1.0 in a way it can read', async () => {
    const site = await openPage(express, (_req, res) => {
      res.write('one ')
      res.end('two')
    })

    for (let visit = 0; visit < 2; visit++) {
      const answer = await site.raw('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
      expect(answer).not.toMatch(/transfer-encoding/i)
      expect(answer.split('\r\n\r\n').at(1)).toBe('one two')
    }
  })

  it('reads the body of an upload that breaks off as little as the handler does, and lives on', async () => {
    const begun = gate()
    const site = await openPage(express, (req, res) => {
      req.on('error', () => {})
      req.once('data', () => begun.open())
      req.resume().on('end', () => void res.send('thanks'))
    })
    const hungUp = new AbortController()
    const upload = site.send('/', { method: 'PUT', headers: { 'content-length': 1000 }, body: 'only this', signal: hungUp.signal }).catch(() => {})
    await begun.opened
    hungUp.abort()
    await upload

    expect((await site.get('/')).body).toBe('thanks')
  })

  it('answers large pages whole, whoever compresses them', async () => {
    const page = 'x'.repeat(300_000)
    const site = await open(express, (app, cache) => {
      app.use(compression())
      app.get('/', cacheResponses({ cache, ttl: '1m' }), (_req, res) => void res.send(page))
    })

    for (let visit = 0; visit < 3; visit++) expect((await site.get('/')).body).toHaveLength(page.length)
  })
})

function bound(value: unknown, owner: object): unknown {
  return typeof value === 'function' ? value.bind(owner) : value
}
