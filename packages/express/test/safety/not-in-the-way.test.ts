import { once } from 'node:events'
import { createCache } from '@tiercel/core'
import { cacheResponses, invalidateResponses } from '@tiercel/express'
import type { ErrorRequestHandler } from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { counting } from './counting.js'
import { openPage } from './page.js'
import { open, serve } from './site.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  it('leaves the errors of a handler to the application', async () => {
    const site = await openPage(express, (_req, _res, next) => next(new Error('gone')))
    expect((await site.get('/')).status).toBe(500)
  })

  it('answers with what the handler says when the cache is closed under it', async () => {
    const page = counting()
    const site = await openPage(express, page)
    await site.get('/')
    await site.cache.close()

    expect((await site.get('/')).status).toBe(200)
    expect((await site.send('/', { method: 'DELETE' })).status).toBe(200)
  })

  it.each(['at once', 'later'])('answers with what the handler says when its logger throws %s', async (when) => {
    const logger = {
      warn() {
        throw new Error('the disk is full')
      },
    }
    const room = when === 'later' ? undefined : () => logger.warn()
    const site = await open(express, (app, cache) => {
      app.get('/', cacheResponses({ cache, ttl: '1m', room, logger }), counting())
      app.put('/', invalidateResponses({ cache, tags: () => logger.warn() as never, logger }), counting())
    })
    if (when === 'later') await site.cache.close()

    for (const run of [1, 2]) expect((await site.get('/')).body).toBe(`run ${run}`)
    expect((await site.send('/', { method: 'PUT' })).body).toBe('run 1')
  })

  it('answers with what the handler says when a function of its options throws', async () => {
    const broken = (): never => {
      throw new Error('no such room')
    }
    for (const options of [{ room: broken }, { tags: broken }, { key: broken }, { room: () => '' }, { tags: () => ['x'.repeat(5000)] }, { key: () => '' }, { key: () => '\uD800' }, { key: () => 7 as unknown as string }]) {
      const site = await openPage(express, counting(), options)
      expect([Object.keys(options), (await site.get('/')).status]).toEqual([Object.keys(options), 200])
    }
  })

  it('reports what was thrown to the error handler of the application, and only once', async () => {
    const seen: unknown[] = []
    const onError: ErrorRequestHandler = (error, _req, res, _next) => {
      seen.push((error as Error).message)
      res.status(418).send('teapot')
    }
    const site = await open(express, (app, cache) => {
      app.get('/', cacheResponses({ cache, ttl: '1m' }), (_req, _res, next) => next(new Error('gone')))
      app.use(onError)
    })

    expect((await site.get('/')).status).toBe(418)
    expect(seen).toEqual(['gone'])
  })
})

it('hides no error of a handler where there is no Express to catch it', async () => {
  const cache = createCache({ redis: false })
  onTestFinished(() => cache.close())
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  })
  const uncaught = once(process, 'uncaughtException')
  const cached = cacheResponses({ cache, ttl: '1m' })
  let runs = 0
  const site = await serve((req, res) => cached(req, res, () => {
    if (++runs === 1) throw new Error('gone')
    res.end(`run ${runs}`)
  }))
  const hungUp = new AbortController()
  const first = site.send('/', { signal: hungUp.signal }).catch(() => {})

  expect(await uncaught).toMatchObject([{ message: 'gone' }, 'uncaughtException'])
  expect((await site.get('/')).body).toBe('run 2')
  hungUp.abort()
  await first
})
