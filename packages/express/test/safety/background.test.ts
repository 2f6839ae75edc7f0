import { setTimeout as pause } from 'node:timers/promises'
import { cacheResponses } from '@tiercel/express'
import { expect, it, vi } from 'vitest'
import { counting } from './counting.js'
import { gate } from './gate.js'
import { openObedientPage, openPage } from './page.js'
import { open } from './site.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  it('renews a page in the background with nothing of the visitor who set it off', async () => {
    const seen: string[] = []
    const page = counting((req, res, run) => {
      seen.push(JSON.stringify(req.headers))
      res.set('Cache-Control', 'public, max-age=60, stale-while-revalidate=600').set('Age', run === 1 ? '100' : '0').send(`run ${run} for ${req.get('cookie') ?? req.get('x-user') ?? 'anybody'}`)
    })
    const site = await openObedientPage(express, page, { cookies: 'ignore' })
    await site.get('/')
    const stale = await site.get('/', { cookie: 'sid=victim', 'x-user': 'victim', 'x-forwarded-for': 'victim', range: 'bytes=0-1', 'if-none-match': '"victim"' })
    expect(stale.body).not.toContain('victim')
    await vi.waitUntil(() => page.runs >= 2, { timeout: 30_000 })
    await vi.waitUntil(async () => (await site.get('/')).body.startsWith('run 2'), { timeout: 30_000 })

    expect((await site.get('/')).body).toBe('run 2 for anybody')
    expect(seen.join('\n')).not.toContain('victim')
  })

  it('renews a page in the background for somebody who is trusted no more than its visitors', async () => {
    const page = counting((_req, res, run) => {
      res.set('Cache-Control', 'public, max-age=60, stale-while-revalidate=600').set('Age', run === 1 ? '100' : '0')
      res.send(`run ${run}: ${res.locals.isInternal === true ? 'internal figures' : 'page'}`)
    })
    const site = await open(express, (app, cache) => {
      // As applications do that show more to those who ask from the machine itself.
      app.use((req, res, next) => {
        res.locals.isInternal = /^(::ffff:)?127\.0\.0\.1$/.test(req.ip ?? '')
        next()
      })
      app.get('/', cacheResponses({ cache }), page)
    })
    const visit = async (): Promise<string> => (await site.send('/', { localAddress: '127.0.0.2' })).body
    expect(await visit()).toBe('run 1: page')
    await vi.waitUntil(async () => (await visit()).startsWith('run 2'), { timeout: 30_000 })

    expect(await visit()).toBe('run 2: page')
  })

  it('serves the old page at once while it is renewed, and renews it once for all', async () => {
    const renewal = gate()
    const page = counting((_req, res, run) => {
      res.set('Cache-Control', 'public, max-age=60, stale-while-revalidate=600').set('Age', run === 1 ? '100' : '0')
      if (run === 1) res.send('run 1')
      else void renewal.opened.then(() => res.send(`run ${run}`))
    })
    const site = await openObedientPage(express, page)
    await site.get('/')
    const olds = await Promise.all(Array.from({ length: 10 }, () => site.get('/')))

    expect(new Set(olds.map(({ body }) => body))).toEqual(new Set(['run 1']))
    renewal.open()
    await vi.waitUntil(async () => (await site.get('/')).body === 'run 2', { timeout: 30_000 })
    expect(page.runs).toBe(2)
  })

  it('lets a renewal in the background that fails harm nobody', async () => {
    const page = counting((_req, res, run) => {
      if (run > 1) throw new Error('gone')
      res.set({ 'Cache-Control': 'public, max-age=60, stale-while-revalidate=600', Age: '100' }).send('old')
    })
    const site = await openObedientPage(express, page)
    await site.get('/')
    for (let round = 0; round < 5; round++) {
      expect((await site.get('/')).body).toBe('old')
      await pause(10)
    }
  })

  it.each([
    ['Set-Cookie', 'sid=visitor'],
    ['Cache-Control', 'private, max-age=60'],
    ['Cache-Control', 'no-store, max-age=60'],
    ['Vary', '*'],
    ['Vary', 'Cookie'],
  ])('takes nothing from a confirmation with %s: %s into what others are shown', async (name, value) => {
    const site = await openObedientPage(
      express,
      counting((req, res, run) => {
        res.set('ETag', '"v1"').set('Cache-Control', 'max-age=0')
        if (req.get('if-none-match') === '"v1"' && run === 2) return res.set('Cache-Control', 'max-age=60').set(name, value).set('X-Run', '2').status(304).end()
        return res.set('X-Run', String(run)).send(`run ${run}`)
      }),
    )
    await site.get('/')
    await site.get('/')

    const third = await site.get('/')
    expect(third.status).toBe(200)
    expect(String(third.headers['set-cookie'])).not.toContain('visitor')
    expect(third.headers['x-run']).not.toBe('2')
  })

  it('shows the confirmed page to a visitor who has nothing yet', async () => {
    const site = await openObedientPage(
      express,
      counting((req, res, run) => {
        res.set('ETag', '"v1"').set('Cache-Control', 'no-cache')
        if (req.get('if-none-match') === '"v1"') return res.set('X-Run', String(run)).status(304).end()
        return res.send('page')
      }),
    )
    await site.get('/')

    const second = await site.get('/')
    expect([second.status, second.body, second.headers['x-run']]).toEqual([200, 'page', '2'])
  })

  it('asks nobody again about a page that was just confirmed', async () => {
    const page = counting((req, res) => {
      res.set('ETag', '"v1"').set('Cache-Control', 'max-age=60')
      if (req.get('if-none-match') === '"v1"') return res.status(304).end()
      return res.set('Age', '100').send('page')
    })
    const site = await openObedientPage(express, page)
    await site.get('/')
    await site.get('/')

    for (let visit = 0; visit < 3; visit++) expect((await site.get('/')).body).toBe('page')
    expect(page.runs).toBe(2)
  })

  it('asks the handler with the validators of what is kept, and not with those a visitor brings', async () => {
    const asked: unknown[] = []
    const site = await openObedientPage(
      express,
      counting((req, res) => {
        asked.push(req.get('if-none-match'))
        res.set('ETag', '"v1"').set('Cache-Control', 'no-cache')
        return req.get('if-none-match') === undefined ? res.send('page') : res.status(304).end()
      }),
    )
    await site.get('/', { 'if-none-match': '"forged"' })

    const second = await site.get('/', { 'if-none-match': '"forged"' })
    expect([second.status, second.body]).toEqual([200, 'page'])
    expect(asked).not.toContain('"forged"')
  })

  it('serves the old page when the handler fails, and never where that is forbidden', async () => {
    for (const [directive, expected] of [['max-age=0, stale-if-error=60', 'old'], ['max-age=0, must-revalidate', 'gone'], ['no-cache', 'gone'], ['max-age=0, proxy-revalidate', 'gone'], ['s-maxage=0', 'gone']] as const) {
      const site = await openPage(
        express,
        counting((_req, res, run) => (run === 1 ? res.set({ 'Cache-Control': directive, ETag: '"v1"' }).send('old') : res.status(503).send('gone'))),
        { ttl: undefined, grace: '1m' },
      )
      await site.get('/')
      expect([directive, (await site.get('/')).body]).toEqual([directive, expected])
    }
  })
})
