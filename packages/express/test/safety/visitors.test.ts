import { cacheResponses } from '@tiercel/express'
import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { openObedientPage, openPage } from './page.js'
import { open } from './site.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  it('gives a page to the next visitor without asking the handler again', async () => {
    const page = counting()
    const site = await openPage(express, page)

    expect((await site.get('/')).body).toBe('run 1')
    expect((await site.get('/')).body).toBe('run 1')
    expect(page.runs).toBe(1)
  })

  it('never gives the cookie that was set for one visitor to another', async () => {
    const page = counting((_req, res, run) => res.cookie('sid', `visitor-${run}`).send(`hello ${run}`))
    const site = await openPage(express, page)
    await site.get('/')

    const second = await site.get('/')
    expect(String(second.headers['set-cookie'])).not.toContain('visitor-1')
    expect(second.body).toBe('hello 2')
  })

  it('gives what was answered to one bearer of a token neither to another nor to a stranger', async () => {
    const site = await openPage(express, (req, res) => void res.send(`secret of ${req.get('authorization') ?? 'nobody'}`))
    const visit = async (authorization?: string): Promise<string> => (await site.get('/', authorization === undefined ? {} : { authorization })).body

    expect(await visit('Bearer a')).toBe('secret of Bearer a')
    expect(await visit('Bearer b')).toBe('secret of Bearer b')
    expect(await visit()).toBe('secret of nobody')
    expect(await visit('Bearer a')).toBe('secret of Bearer a')
  })

  it.each(['authorization', 'cookie'])('gives no visitor who says who they are by %s what was answered to a stranger', async (name) => {
    const site = await openPage(express, (req, res) => void res.send(`page of ${req.get(name) ?? 'nobody'}`))
    expect((await site.get('/')).body).toBe('page of nobody')

    expect((await site.get('/', { [name]: 'a=1' })).body).toBe('page of a=1')
    expect((await site.get('/')).body).toBe('page of nobody')
  })

  it('lets bearers of tokens share what the handler calls public, and nothing else', async () => {
    const site = await openObedientPage(express, counting((req, res, run) => res.set('Cache-Control', req.path === '/shared' ? 'public, max-age=60' : 'max-age=60').send(`run ${run}`)))
    const visit = async (path: string, authorization: string): Promise<string> => (await site.get(path, { authorization })).body

    expect(await visit('/shared', 'Bearer a')).toBe('run 1')
    expect(await visit('/shared', 'Bearer b')).toBe('run 1')
    expect(await visit('/own', 'Bearer a')).toBe('run 2')
    expect(await visit('/own', 'Bearer b')).toBe('run 3')
  })

  it('gives the page of one session neither to another nor to a visitor without one', async () => {
    const site = await openPage(express, (req, res) => void res.send(`cart of ${req.headers.cookie ?? 'nobody'}`))
    const visit = async (cookie?: string): Promise<string> => (await site.get('/', cookie === undefined ? {} : { cookie })).body

    expect(await visit('sid=a')).toBe('cart of sid=a')
    expect(await visit('sid=b')).toBe('cart of sid=b')
    expect(await visit()).toBe('cart of nobody')
    expect(await visit('sid=a')).toBe('cart of sid=a')
  })

  it('keeps a page for each value of the cookies it is told of', async () => {
    const page = counting((req, res) => res.send(`in ${/lang=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? 'no language'}`))
    const site = await openPage(express, page, { cookies: ['lang'] })
    const visit = async (cookie?: string): Promise<string> => (await site.get('/', cookie === undefined ? {} : { cookie })).body

    for (let round = 0; round < 2; round++) {
      expect(await visit('lang=de')).toBe('in de')
      expect(await visit('lang=fr')).toBe('in fr')
      expect(await visit()).toBe('in no language')
    }
    expect(page.runs).toBe(3)
  })

  it.each([[['lang']], ['ignore' as const]])('hides from the handler the cookies that do not tell pages apart: %s', async (cookies) => {
    const site = await openPage(express, (req, res) => void res.send(`page for ${req.headers.cookie ?? 'anybody'}`), { cookies })
    await site.get('/', { cookie: 'lang=de; sid=victim' })

    const second = await site.get('/', { cookie: 'sid=other; lang=de' })
    expect(second.body).not.toMatch(/victim|other/)
    expect((await site.get('/')).body).not.toContain('victim')
  })

  it('hides from the handler what cookie-parser has found in those cookies, signed or not', async () => {
    const site = await open(express, (app, cache) => {
      app.use((req, _res, next) => {
        Object.assign(req, { cookies: { name: req.headers.cookie }, signedCookies: { user: req.headers.cookie } })
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m', cookies: 'ignore' }), (req, res) => void res.json([req.cookies, req.signedCookies]))
    })
    await site.get('/', { cookie: 'sid=victim' })

    expect((await site.get('/')).body).toBe('[{},{}]')
  })

  it.each(['lang =evil', 'a=b;\tlang\t= evil ', 'lang =evil; lang=de'])('lets nobody put words into the page without a cookie, or with another, by %j', async (cookie) => {
    // As cookie-parser does it: spaces do not count, and the first of a name does.
    const parsed = (header: string | undefined): Map<string, string> => new Map((header ?? '').split(';').map((pair) => pair.split('=').map((part) => part.trim()) as [string, string]).toReversed())
    const site = await open(express, (app, cache) => {
      app.use((req, _res, next) => {
        req.cookies = Object.fromEntries(parsed(req.headers.cookie))
        next()
      })
      app.get('/', cacheResponses({ cache, ttl: '1m', cookies: ['lang'] }), (req, res) => void res.send(`in ${(req.cookies as Record<string, string>).lang ?? 'none'}, ${parsed(req.headers.cookie).get('lang') ?? 'none'}`))
    })
    expect((await site.get('/', { cookie })).body).toBe('in evil, evil')

    expect((await site.get('/')).body).toBe('in none, none')
    expect((await site.get('/', { cookie: 'lang=de' })).body).toBe('in de, de')
  })

  it('hides those cookies also while the page is being written', async () => {
    const site = await openPage(express, (req, res) => {
      res.write('hello ')
      setImmediate(() => res.end(req.headers.cookie ?? 'anybody'))
    }, { cookies: 'ignore' })

    for (let visit = 0; visit < 2; visit++) expect((await site.get('/', { cookie: 'sid=victim' })).body).toBe('hello anybody')
  })

  it.each(['req.ip', 'x-forwarded-for'])('keeps no page into which the handler writes the address of the visitor, though only at its end: %s', async (what) => {
    const site = await openPage(express, counting((req, res, run) => {
      res.write(`run ${run} for `)
      setImmediate(() => res.end(what === 'req.ip' ? req.ip : req.get(what)))
    }))

    expect((await site.get('/', { 'x-forwarded-for': 'a' })).body).toContain('run 1')
    expect((await site.get('/', { 'x-forwarded-for': 'b' })).body).toContain('run 2')
  })

  it('keeps a page for each value of the headers it is told of', async () => {
    const site = await openPage(express, (req, res) => void res.send(`in ${req.get('x-language') ?? 'none'}`), { vary: ['X-Language'] })

    expect((await site.get('/', { 'x-language': 'de' })).body).toBe('in de')
    expect((await site.get('/', { 'x-language': 'fr' })).body).toBe('in fr')
    expect((await site.get('/')).body).toBe('in none')
  })

  it.each(['private', 'no-store', 'private, max-age=60', 'max-age=60, no-store', 'PRIVATE', ' no-store ,', 'no-store="x"'])('asks the handler for each visitor when it says Cache-Control: %s', async (directive) => {
    const site = await openPage(express, counting((_req, res, run) => res.set('Cache-Control', directive).send(`run ${run}`)))

    expect((await site.get('/')).body).toBe('run 1')
    expect((await site.get('/')).body).toBe('run 2')
  })

  it.each(['no-cache', 'max-age=60, no-cache', 'no-cache, s-maxage=60'])('asks the handler for each visitor when it says %s, so that each has a nonce of their own', async (directives) => {
    const site = await openPage(
      express,
      counting((_req, res, run) => res.set('Cache-Control', directives).set('Content-Security-Policy', `script-src 'nonce-${run}'`).send(`<script nonce="${run}">`)),
    )
    await site.get('/')

    const second = await site.get('/')
    expect(second.headers['content-security-policy']).toBe("script-src 'nonce-2'")
    expect(second.body).toBe('<script nonce="2">')
  })

  it.each(['private="x-user"', 'no-cache="x-user"', 'max-age=60, private="X-User, x-other"'])('never shows one visitor a header that was for another: %s', async (directive) => {
    const site = await openPage(express, counting((_req, res, run) => res.set('Cache-Control', directive).set('X-User', `visitor-${run}`).send('page')))
    await site.get('/')

    expect((await site.get('/')).headers['x-user']).not.toBe('visitor-1')
  })

  it.each(['Authorization', 'Cookie', 'cookie, Accept-Encoding'])('keeps nothing that varies by %s', async (vary) => {
    const site = await openPage(express, counting((_req, res, run) => res.set('Vary', vary).send(`run ${run}`)))

    expect((await site.get('/')).body).toBe('run 1')
    expect((await site.get('/')).body).toBe('run 2')
  })

  it.each([['*'], [', *'], ['Accept', '*'], ['Accept, *']])('keeps nothing that varies by everything: %s %s', async (...vary) => {
    const site = await openPage(express, counting((_req, res, run) => res.setHeader('Vary', vary).end(`run ${run}`)))

    expect((await site.get('/')).body).toBe('run 1')
    expect((await site.get('/')).body).toBe('run 2')
  })

  it('gives each visitor their own language', async () => {
    const page = counting((req, res) => res.vary('Accept-Language').send(`in ${req.get('accept-language') ?? 'none'}`))
    const site = await openPage(express, page)
    const visit = async (language?: string): Promise<string> => (await site.get('/', language === undefined ? {} : { 'accept-language': language })).body

    for (let round = 0; round < 2; round++) {
      expect(await visit('de')).toBe('in de')
      expect(await visit('fr')).toBe('in fr')
      expect(await visit()).toBe('in none')
    }
    expect(page.runs).toBe(3)
  })

  it('gives each visitor the language they name first, as Express chooses it', async () => {
    const site = await openPage(express, (req, res) => void res.vary('Accept-Language').send(`in ${String(req.acceptsLanguages('en', 'de'))}`))

    expect((await site.get('/', { 'accept-language': 'de, en' })).body).toBe('in de')
    expect((await site.get('/', { 'accept-language': 'en, de' })).body).toBe('in en')
  })

  it('gives each visitor the type they accept', async () => {
    const page = counting((_req, res) => res.format({ 'text/html': () => res.send('<p>'), 'application/json': () => res.json({ p: 1 }) }))
    const site = await openPage(express, page)

    for (let round = 0; round < 2; round++) {
      expect((await site.get('/', { accept: 'text/html' })).body).toBe('<p>')
      expect((await site.get('/', { accept: 'application/json' })).body).toBe('{"p":1}')
    }
    expect(page.runs).toBe(2)
  })

  it.each(['no-cache', 'max-age=60, no-cache', 'no-cache, s-maxage=60'])('asks the handler for each visitor when it says %s of a page without a nonce', async (directives) => {
    const site = await openPage(express, counting((_req, res, run) => res.set('Cache-Control', directives).send(`run ${run}`)))

    expect((await site.get('/')).body).toBe('run 1')
    expect((await site.get('/')).body).toBe('run 2')
  })

  it('keeps tenants apart that have a room each', async () => {
    const site = await openPage(express, (req, res) => void res.send(`of ${req.get('x-tenant')}`), { room: (req) => String(req.headers['x-tenant']) })

    expect((await site.get('/', { 'x-tenant': 'red' })).body).toBe('of red')
    expect((await site.get('/', { 'x-tenant': 'blue' })).body).toBe('of blue')
  })
})
