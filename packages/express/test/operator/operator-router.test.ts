import type { RequestHandler } from 'express'
import { createCache } from '@tiercel/core'
import { operatorRouter, type OperatorOptions, type OperatorSource } from '@tiercel/express'
import { expect, it, onTestFinished, vi } from 'vitest'
import { serve, type Site } from '../safety/site.js'
import { onBothVersions, type ExpressModule } from '../safety/versions.js'

type Options = Partial<OperatorOptions> & { readonly before?: RequestHandler }

function openOperator(express: ExpressModule, sources: Record<string, OperatorSource>, { before, ...options }: Options = {}): Promise<Omit<Site, 'cache'>> {
  const app = express()
  app.set('env', 'test')
  if (before !== undefined) app.use(before)
  app.use('/operator', operatorRouter({ authorize: () => true, sources, ...options }))
  app.use((_req, res) => void res.status(404).send('the application'))
  return serve(app)
}

function openCache(name = 'tiercel'): ReturnType<typeof createCache> {
  const cache = createCache({ redis: false, name })
  onTestFinished(() => cache.close())
  return cache
}

const asJson = { 'content-type': 'application/json' }

onBothVersions((express) => {
  it.each([undefined, {}, { sources: {} }, { authorize: true, sources: {} }])('refuses to be made without a function that authorizes: %j', (options) => {
    expect(() => operatorRouter(options as never)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
  })

  it.each([{ timeout: 0 }, { timeout: -1 }, { timeout: Number.NaN }, { timeout: 1e9 }, { timeout: '1s' }, { sources: null }, { sources: { a: 1 } }, { sources: { a: null } }, { souces: {} }])(
    'refuses options that cannot be: %j',
    (options) => {
      expect(() => operatorRouter({ authorize: () => true, sources: {}, ...options } as never)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
    },
  )

  it('shows the figures and the health of each source', async () => {
    const cache = openCache()
    await cache.getOrSet('a', () => 1)
    await cache.getOrSet('a', () => 1)
    const { get } = await openOperator(express, { pages: cache, sessions: { stats: () => ({ active: 3 }) } })

    const { status, headers, body } = await get('/operator/stats')
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json; charset=utf-8', 'no-store'])
    expect(JSON.parse(body)).toMatchObject({
      sources: {
        pages: { healthy: true, failed: [], stats: { memory: { hits: 1, entries: 1 }, misses: 1, hitRatio: 0.5 }, health: { healthy: true } },
        sessions: { healthy: true, stats: { active: 3 } },
      },
    })
  })

  it('gives the numbers of all sources to Prometheus', async () => {
    const { get } = await openOperator(express, {
      pages: openCache(),
      sessions: { stats: () => ({ active: 3, isOpen: true, name: 'secret', nothing: undefined, list: [1], nested: { byRoom: { 'lobby 1': 2 } } }), health: () => ({ healthy: false, queue: 7 }) },
    })
    const { status, headers, body } = await get('/operator/metrics')

    expect([status, headers['content-type']?.split(';')[0]]).toEqual([200, 'text/plain'])
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines).toEqual(
      expect.arrayContaining([
        'tiercel_memory_max_entries{source="pages"} 10000',
        'tiercel_healthy{source="pages"} 1',
        'tiercel_active{source="sessions"} 3',
        'tiercel_is_open{source="sessions"} 1',
        'tiercel_nested_by_room_lobby_1{source="sessions"} 2',
        'tiercel_queue{source="sessions"} 7',
        'tiercel_healthy{source="sessions"} 0',
      ]),
    )
    expect(body).not.toMatch(/secret|nothing|list/)
    expect(body).toContain('# TYPE tiercel_active gauge')
    expect(new Set(lines.map((line) => line.replace(/ .*/, ''))).size).toBe(lines.length)
  })

  it('gives the same figures at every visit, and never those of the last one', async () => {
    let active = 1
    const { get } = await openOperator(express, { sessions: { stats: () => ({ active, ...(active === 1 ? { gone: 1 } : {}) }) } })
    expect((await get('/operator/metrics')).body).toContain('tiercel_gone')
    active = 2

    const { body } = await get('/operator/metrics')
    expect(body).toContain('tiercel_active{source="sessions"} 2')
    expect(body).not.toContain('tiercel_gone')
  })

  it('says by its status whether all sources are healthy', async () => {
    const cache = openCache()
    const { get } = await openOperator(express, { pages: cache, other: {} })
    const health = async (): Promise<unknown> => {
      const { status, body } = await get('/operator/health')
      return [status, JSON.parse(body)]
    }
    expect(await health()).toEqual([200, { healthy: true, sources: { pages: true, other: true } }])
    await cache.close()

    expect(await health()).toEqual([503, { healthy: false, sources: { pages: false, other: true } }])
  })

  it('says by its status whether all sources can be used', async () => {
    const cache = openCache()
    let started: unknown = false
    const { get } = await openOperator(express, { pages: cache, storage: { ready: () => started } })
    const ready = async (): Promise<unknown> => {
      const { status, body } = await get('/operator/ready')
      return [status, JSON.parse(body)]
    }
    expect(await ready()).toEqual([503, { ready: false, sources: { pages: true, storage: false } }])
    started = undefined
    expect(await ready()).toEqual([200, { ready: true, sources: { pages: true, storage: true } }])
    await cache.close()

    expect(await ready()).toEqual([503, { ready: false, sources: { pages: false, storage: true } }])
  })

  it('shows what answers though a source throws, rejects or hangs, and never why', async () => {
    const broken: OperatorSource = {
      stats: () => {
        throw new Error('redis://user:secret@host')
      },
      health: () => ({
        get healthy() {
          throw new Error('secret')
        },
      }),
      ready: () => Promise.reject(new Error('secret')),
    }
    const hanging: OperatorSource = { stats: () => ({ a: 1 }), health: () => new Promise(() => {}), ready: () => new Promise(() => {}) }
    const { get } = await openOperator(express, { pages: openCache(), broken, hanging }, { timeout: 50 })

    const { status, body } = await get('/operator/stats')
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      sources: { pages: { healthy: true }, broken: { healthy: false, failed: ['stats', 'health'] }, hanging: { healthy: false, failed: ['health'], stats: { a: 1 } } },
    })
    expect(body).not.toContain('secret')
    expect((await get('/operator/metrics')).body).toContain('tiercel_healthy{source="hanging"} 0')
    expect((await get('/operator/health')).status).toBe(503)
    expect(JSON.parse((await get('/operator/ready')).body)).toMatchObject({ sources: { pages: true, broken: false, hanging: false } })
  })

  it('shows what answers though the figures of a source throw when they are looked at, and never why', async () => {
    const figures = {
      get size() {
        throw new Error('secret')
      },
    }
    const { get } = await openOperator(express, { pages: openCache(), broken: { stats: () => figures } })

    const { status, body } = await get('/operator/stats')
    expect([status, JSON.parse(body)]).toMatchObject([200, { sources: { pages: { healthy: true }, broken: { healthy: false, failed: ['stats'] } } }])
    expect(body).not.toContain('secret')
  })

  it('survives figures of any shape and any number', async () => {
    const circle: Record<string, unknown> = { n: 1, big: 10n, not: Number.NaN, endless: Number.POSITIVE_INFINITY, fn: () => 1, sym: Symbol('x'), date: new Date(5), map: new Map([[1, 2]]) }
    circle.self = circle
    const { get } = await openOperator(express, {
      circle: { stats: () => circle },
      many: { stats: () => Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`n${i}`, i])) },
      named: { stats: () => JSON.parse('{"__proto__":{"a":1},"constructor":2,"weird-näme 1":3}') as unknown },
      text: { stats: () => 'hello', health: () => null },
    })

    const { status, body } = await get('/operator/stats')
    expect(status).toBe(200)
    expect(body.length).toBeLessThan(200_000)
    const metrics = await get('/operator/metrics')
    expect(metrics.status).toBe(200)
    expect(metrics.body.split('\n').length).toBeLessThan(10_000)
  })

  it('drops what is named, in the source that is named', async () => {
    const [pages, users] = [openCache('pages'), openCache('users')]
    for (const cache of [pages, users]) {
      await cache.set('a', 1, { tags: ['red'] })
      await cache.set('b', 1)
    }
    const { send } = await openOperator(express, { pages, users })
    const { status, body } = await send('/operator/purge', { method: 'POST', headers: asJson, body: '{"source":"pages","tag":"red"}' })

    expect([status, JSON.parse(body)]).toEqual([200, { source: 'pages', result: { durable: true } }])
    expect([await pages.has('a'), await pages.has('b'), await users.has('a')]).toEqual([false, true, true])
  })

  it('drops what is named in a body that express.json has read', async () => {
    const pages = openCache()
    await pages.set('a', 1)
    const { send } = await openOperator(express, { pages }, { before: express.json() })
    await send('/operator/purge', { method: 'POST', headers: asJson, body: '{"source":"pages","key":"a"}' })

    expect(await pages.has('a')).toBe(false)
  })

  it.each([
    ['{"source":"pages"}', 400],
    ['{"source":"pages","key":""}', 400],
    ['{"source":"pages","everything":true}', 400],
    ['{"source":"pages","tags":"a"}', 400],
    ['{"source":"pages","tag":null}', 400],
    ['{"source":"none","all":true}', 400],
    ['{"source":"__proto__","all":true}', 400],
    ['{"source":"figures","all":true}', 400],
    ['{"all":true}', 400],
    ['[]', 400],
    ['null', 400],
    ['"too large"', 400],
    ['{', 400],
    ['', 400],
    [`{"source":"pages","key":"${'x'.repeat(70_000)}"}`, 413],
  ])('drops nothing and says why for %.60s', async (body, status) => {
    const pages = openCache()
    await pages.set('a', 1, { tags: ['a'] })
    const { send } = await openOperator(express, { pages, figures: { stats: () => ({}) } })
    const answer = await send('/operator/purge', { method: 'POST', headers: asJson, body })

    expect([answer.status, typeof JSON.parse(answer.body).error.message]).toEqual([status, 'string'])
    expect(await pages.has('a')).toBe(true)
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined])('drops nothing for a form of another site, sent as %s', async (type) => {
    const pages = openCache()
    await pages.set('a', 1)
    const { send } = await openOperator(express, { pages })
    const answer = await send('/operator/purge', { method: 'POST', headers: type === undefined ? {} : { 'content-type': type }, body: '{"source":"pages","all":true}' })

    expect(answer.status).toBe(415)
    expect(await pages.has('a')).toBe(true)
  })

  it('drops nothing by a GET', async () => {
    const invalidate = vi.fn<() => void>()
    const { get } = await openOperator(express, { pages: { invalidate } })
    const { status, headers } = await get('/operator/purge?source=pages&all=true')

    expect([status, headers.allow]).toEqual([405, 'POST'])
    expect(invalidate).not.toHaveBeenCalled()
  })

  it('leaves to the application what went wrong in a source that was purged', async () => {
    const { send } = await openOperator(express, { pages: { invalidate: () => Promise.reject(new Error('gone')) } })

    expect((await send('/operator/purge', { method: 'POST', headers: asJson, body: '{"source":"pages","all":true}' })).status).toBe(500)
  })

  it.each([false, undefined, 1, 'yes', {}, Promise.resolve(false)])('does nothing when authorize gives %j', async (verdict) => {
    const touched = vi.fn<() => void>()
    const { get, send } = await openOperator(express, { pages: { stats: touched, health: touched, ready: touched, invalidate: touched } }, { authorize: () => verdict as boolean })

    for (const path of ['stats', 'metrics', 'health', 'ready']) expect((await get(`/operator/${path}`)).status).toBe(403)
    expect((await send('/operator/purge', { method: 'POST', headers: asJson, body: '{"source":"pages","all":true}' })).status).toBe(403)
    expect((await send('/operator/purge', { method: 'DELETE' })).status).toBe(403)
    expect(touched).not.toHaveBeenCalled()
  })

  it('does nothing when authorize fails, and leaves that to the application', async () => {
    const { get } = await openOperator(express, { pages: openCache() }, { authorize: () => Promise.reject(new Error('no directory')) })
    expect((await get('/operator/stats')).status).toBe(500)
    const { get: again } = await openOperator(express, { pages: openCache() }, {
      authorize: () => {
        throw new Error('no directory')
      },
    })
    expect((await again('/operator/stats')).status).toBe(500)
  })

  it('lets authorize decide by the request and by what is asked for', async () => {
    const asked: string[] = []
    const { get } = await openOperator(express, { pages: openCache() }, {
      authorize: (request, action) => {
        asked.push(action)
        return action === 'ready' || request.headers.authorization === 'Bearer right'
      },
    })

    expect((await get('/operator/ready')).status).toBe(200)
    expect((await get('/operator/stats')).status).toBe(403)
    expect((await get('/operator/stats', { authorization: 'Bearer right' })).status).toBe(200)
    expect(asked).toEqual(['ready', 'stats', 'stats'])
  })

  it.each(['/operator', '/operator/', '/operator/unknown', '/operator/stats/x', '/operator/constructor', '/operator/STATS', '/operator/%73tats'])('leaves %s to the application', async (path) => {
    const { get } = await openOperator(express, { pages: openCache() })

    expect((await get(path)).body).toBe('the application')
  })

  it('answers HEAD with the headers of GET, and finds its paths with a query or a slash behind', async () => {
    const { get, send } = await openOperator(express, { pages: openCache() })
    const head = await send('/operator/health', { method: 'HEAD' })

    expect([head.status, head.body, Number(head.headers['content-length']) > 0]).toEqual([200, '', true])
    expect((await get('/operator/health/?x=1')).status).toBe(200)
    expect((await send('/operator/health', { method: 'POST' })).headers.allow).toBe('GET, HEAD')
  })
})
