import type { Request, Response } from 'express'
import { expect, it } from 'vitest'
import { counting } from '../safety/counting.js'
import { openObedientPage, openPage } from '../safety/page.js'
import { onBothVersions } from '../safety/versions.js'

/** A page that is stale from the beginning, and asks to be validated by its ETag. */
function validated(requests: (string | undefined)[]): (req: Request, res: Response, run: number) => unknown {
  return (req, res, run) => {
    requests.push(req.get('if-none-match'))
    res.set('ETag', '"v1"').set('X-Run', String(run))
    if (req.get('if-none-match') === '"v1"') return res.set('Cache-Control', 'max-age=60').status(304).end()
    return res.set('Cache-Control', 'max-age=60').set('Age', '100').end('body')
  }
}

onBothVersions((express) => {
  it('asks the handler by ETag whether what is kept is still good, and keeps it on when it is', async () => {
    const requests: (string | undefined)[] = []
    const page = counting(validated(requests))
    const site = await openObedientPage(express, page)
    expect((await site.get('/')).headers['x-run']).toBe('1')
    const renewed = await site.get('/')
    expect([renewed.status, renewed.body, renewed.headers['x-run'], renewed.headers.age]).toEqual([200, 'body', '2', '0'])
    expect(requests).toEqual([undefined, '"v1"'])

    const fresh = await site.get('/')
    expect([fresh.body, fresh.headers['x-run']]).toEqual(['body', '2'])
    expect(page.runs).toBe(2)
  })

  it('asks by Last-Modified where there is no ETag', async () => {
    const lastModified = 'Sat, 21 Nov 2020 00:00:00 GMT'
    const page = counting((req, res) => {
      res.set('Cache-Control', 'max-age=60').set('Last-Modified', lastModified)
      if (req.get('if-modified-since') === lastModified) return res.status(304).end()
      return res.set('Age', '100').end('body')
    })
    const site = await openObedientPage(express, page)
    await site.get('/')

    for (let i = 0; i < 3; i++) expect((await site.get('/')).body).toBe('body')
    expect(page.runs).toBe(2)
  })

  it('lets Express answer it, which compares by itself', async () => {
    const page = counting((_req, res, run) => res.set('Cache-Control', 'no-cache').send(run < 3 ? 'same' : 'other'))
    const site = await openPage(express, page)
    const first = await site.get('/')
    const second = await site.get('/')
    expect([second.status, second.body, second.headers.etag]).toEqual([200, 'same', first.headers.etag])
    expect(second.headers['cache-status']).toContain('fwd-status=304')

    expect((await site.get('/')).body).toBe('other')
  })

  it('answers the condition of a visitor from what was found still good', async () => {
    const page = counting((_req, res) => res.set('Cache-Control', 'no-cache').send('same'))
    const site = await openPage(express, page)
    const { etag } = (await site.get('/')).headers

    const answer = await site.get('/', { 'if-none-match': String(etag) })
    expect([answer.status, answer.body]).toEqual([304, ''])
    expect((await site.get('/', { 'if-none-match': '"another"' })).body).toBe('same')
  })

  it('answers a condition from a whole response, and keeps that for the next', async () => {
    const page = counting((_req, res) => res.set('ETag', '"v1"').send('body'))
    const site = await openPage(express, page)
    const first = await site.get('/', { 'if-none-match': 'W/"v1"' })
    expect([first.status, first.body, first.headers.etag]).toEqual([304, '', '"v1"'])

    expect((await site.get('/')).body).toBe('body')
    expect(page.runs).toBe(1)
  })

  it.each([
    ['has not changed since they asked', 60, 304],
    ['is newer than what they have', -3000, 200],
  ])('compares If-Modified-Since with Date where there is no Last-Modified: the page %s', async (_name, seconds, status) => {
    const date = new Date().toUTCString()
    const site = await openObedientPage(express, counting((_req, res) => res.set('Cache-Control', 'max-age=600').set('Date', date).end('body')))
    await site.get('/')

    expect((await site.get('/', { 'if-modified-since': new Date(Date.parse(date) + 1000 * seconds).toUTCString() })).status).toBe(status)
  })

  it.each([
    ['Set-Cookie', 'sid=1'],
    ['Cache-Control', 'private'],
    ['Cache-Control', 'no-store'],
    ['Vary', '*'],
  ])('forgets a response that is still good, but from now on for one visitor only: %s: %s', async (name, value) => {
    const requests: (string | undefined)[] = []
    const page = counting((req, res) => {
      requests.push(req.get('if-none-match'))
      res.set('ETag', '"v1"')
      if (req.get('if-none-match') === '"v1"') return res.set(name, value).status(304).end()
      return res.set('Cache-Control', 'max-age=60').set('Age', '100').end('body')
    })
    const site = await openObedientPage(express, page)
    await site.get('/')
    const answer = await site.get('/')
    expect([answer.status, answer.body, [answer.headers[name.toLowerCase()]].flat()[0]]).toEqual([200, 'body', value])

    await site.get('/')
    expect(requests).toEqual([undefined, '"v1"', undefined])
  })

  it('runs the handler once for all who wait for a validation', async () => {
    let release = (): void => {}
    const page = counting((req, res, run) => {
      res.set('ETag', '"v1"').set('Cache-Control', 'max-age=60')
      if (run === 1) return res.set('Age', '100').end('body')
      return (release = () => void res.status(req.get('if-none-match') === '"v1"' ? 304 : 500).end())
    })
    const site = await openObedientPage(express, page)
    await site.get('/')
    const answers = Promise.all(Array.from({ length: 10 }, () => site.get('/')))
    await expect.poll(() => site.cache.stats().coalesced).toBe(9)
    release()

    expect((await answers).map(({ status, body }) => `${status} ${body}`)).toEqual(Array.from({ length: 10 }, () => '200 body'))
    expect(page.runs).toBe(2)
  })
})
