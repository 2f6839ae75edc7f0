import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { openPage } from './page.js'
import { onBothVersions } from './versions.js'

// Some framework or proxy reads each of these in place of what the request says.
const SPOKEN_FOR = [
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'x-forwarded-port',
  'x-forwarded-for',
  'x-forwarded-scheme',
  'x-original-url',
  'x-rewrite-url',
  'x-original-host',
  'x-host',
  'forwarded',
]

onBothVersions((express) => {
  it.each(SPOKEN_FOR)('lets nobody put words into the pages of others by %s', async (header) => {
    const site = await openPage(express, (req, res) => void res.send(`<script src="//${req.get(header) ?? 'here'}/app.js">`))
    await site.get('/', { [header]: 'evil.example' })

    expect((await site.get('/')).body).not.toContain('evil.example')
  })

  it.each(['x-http-method-override', 'x-http-method', 'x-method-override'])('takes a request that is another method by %s neither from the cache nor into it', async (header) => {
    const page = counting((req, res, run) => res.send(`${req.get(header) ?? 'GET'} ${run}`))
    const site = await openPage(express, page)

    expect((await site.get('/')).body).toBe('GET 1')
    expect((await site.get('/', { [header]: 'DELETE' })).body).toBe('DELETE 2')
    await site.get('/other', { [header]: 'POST' })
    expect((await site.get('/other')).body).toBe('GET 4')
  })

  it('keeps the pages of hosts apart', async () => {
    const site = await openPage(express, (req, res) => void res.send(`at ${req.get('host')}`))
    const at = async (host: string): Promise<string> => (await site.get('/', { host })).body

    for (let round = 0; round < 2; round++) {
      expect(await at('a.example')).toBe('at a.example')
      expect(await at('b.example')).toBe('at b.example')
      expect(await at('a.example:8080')).toBe('at a.example:8080')
    }
  })

  it('lets nobody put words into the pages of others by how a host is written', async () => {
    const site = await openPage(express, (req, res) => void res.send(`//${req.get('host')}/app.js`))
    await site.get('/', { host: 'A.example.:80' })

    expect((await site.get('/', { host: 'a.example' })).body.toLowerCase()).toBe('//a.example/app.js')
  })

  it('lets nobody put words into the pages of others by a target with a host of its own', async () => {
    const site = await openPage(express, (req, res) => void res.send(`at ${req.originalUrl} of ${req.get('host')}`))
    await site.raw('GET http://evil.example/page HTTP/1.1\r\nHost: good.example\r\nConnection: close\r\n\r\n')
    await site.raw('GET http://good.example/page HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')

    expect((await site.get('/page', { host: 'good.example' })).body).toBe('at /page of good.example')
    expect((await site.get('/page', { host: 'evil.example' })).body).toBe('at /page of evil.example')
  })

  it('lets nobody put words into the pages of others through what a trusted proxy says', async () => {
    const site = await openPage(express, (req, res) => {
      req.app.set('trust proxy', true)
      res.send(`${req.protocol}://${req.hostname}/ for ${req.ip}`)
    })
    await site.get('/')
    await site.get('/deep', { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', 'x-forwarded-for': '6.6.6.6' })

    expect((await site.get('/deep', { host: 'good.example' })).body).not.toMatch(/evil|gopher|6\.6\.6\.6/)
  })

  it('lets nobody put words into the pages of others by the body of a GET', async () => {
    const site = await openPage(express, (req, res) => {
      req.setEncoding('utf8')
      let body = ''
      req.on('data', (chunk: string) => (body += chunk)).on('end', () => void res.send(`found ${body || 'all'}`))
    })
    await site.send('/search', { body: 'evil' })

    expect((await site.get('/search')).body).toBe('found all')
    expect((await site.send('/search', { body: 'mine' })).body).toBe('found mine')
  })

  it('lets nobody put words into the pages of others by a chunked body of a GET', async () => {
    const site = await openPage(express, (req, res) => {
      let body = ''
      req.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => void res.send(`found ${body || 'all'}`))
    })
    await site.raw('GET /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nevil\r\n0\r\n\r\n')

    expect((await site.get('/search', { host: 'a' })).body).toBe('found all')
  })

  it('sends nobody to where another visitor pointed', async () => {
    const site = await openPage(express, (req, res) => res.redirect(`https://${req.get('host')}/login`))
    await site.get('/', { host: 'evil.example' })

    expect((await site.get('/', { host: 'good.example' })).headers.location).toBe('https://good.example/login')
  })

  it('splits no answer by a line break in where it redirects to', async () => {
    const site = await openPage(express, (req, res) => res.redirect(String(req.query.to)))
    const path = `/?to=${encodeURIComponent('/a\r\nSet-Cookie: sid=evil\r\n\r\n<script>')}`

    for (let round = 0; round < 2; round++) expect((await site.get(path)).headers['set-cookie']).toBeUndefined()
  })

  it('survives a request of two lengths, and answers the next as ever', async () => {
    const site = await openPage(express, counting())
    await site.get('/', { host: 'a' })
    const smuggled = await site.raw('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n')

    expect(smuggled.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    expect((await site.get('/', { host: 'a' })).body).toBe('run 1')
  })
})
