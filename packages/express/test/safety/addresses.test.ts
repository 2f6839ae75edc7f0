import { cacheResponses } from '@tiercel/express'
import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { openPage } from './page.js'
import { open, serve } from './site.js'
import { onBothVersions } from './versions.js'

/** Addresses that one reader or another takes for each other. */
const LOOKALIKES = [
  ['/p?a=1&a=2', '/p?a=2&a=1', '/p?a=2', '/p?a=1'],
  ['/p?a=1;b=2', '/p?a=1&b=2', '/p?a=1%3Bb%3D2'],
  ['/p?a[]=1', '/p?a=1', '/p?a%5B%5D=1', '/p?a[0]=1', '/p?a[b]=1'],
  ['/p?q=a', '/p?q=A', '/p?q=%61', '/p?Q=a'],
  ['/p?q=a+b', '/p?q=a%20b', '/p?q=a%2Bb', '/p?q=a b'.replace(' ', '%09')],
  ['/a/b', '/a%2Fb', '/a%2fb', '//a/b', '/a//b', '/a/b/', '/A/b', '/a/./b', '/a/x/../b', '/a\\b'.replace('\\', '%5C')],
  ['/p', '/p?', '/p?&', '/p/', '/p;x=1', '/p%3Fx=1', '/p%23x'],
  ['/p?a=1%26b=2', '/p?a=1&b=2', '/p?a=1%2526b=2'],
  ['/p?a', '/p?a=', '/p?a=undefined', '/p?a=null'],
  ['/p?%00', '/p?', '/p%00', '/p'],
]

onBothVersions((express) => {
  it.each(LOOKALIKES)('shows at each address what belongs to it, and not to one that looks alike: %s, %s, ...', async (...addresses) => {
    const site = await openPage(express, (req, res) => void res.json([req.originalUrl, req.path, req.query]))
    const bare = express()
    bare.all(/.*/, (req, res) => void res.json([req.originalUrl, req.path, req.query]))
    const { get } = await serve(bare)

    for (const address of [...addresses, ...addresses.toReversed()]) expect([address, (await site.get(address)).body]).toEqual([address, (await get(address)).body])
  })

  it('shows nobody the page to which the URL of another was rewritten', async () => {
    const site = await open(express, (app, cache) => {
      app.use((req, _res, next) => {
        if (req.get('user-agent') === 'phone') req.url = `/mobile${req.url}`
        next()
      })
      app.get('/mobile/page', cacheResponses({ cache, ttl: '1m' }), counting((_req, res, run) => res.send(`mobile ${run}`)))
      app.all('/page', cacheResponses({ cache, ttl: '1m' }), counting((_req, res, run) => res.send(`desktop ${run}`)))
    })
    const visit = async (agent: string): Promise<string> => (await site.get('/page?a=1', { 'user-agent': agent })).body
    for (let round = 0; round < 2; round++) expect([await visit('phone'), await visit('desktop')]).toEqual(['mobile 1', 'desktop 1'])

    await site.send('/page?a=1', { method: 'PUT' })
    expect([await visit('phone'), await visit('desktop')]).toEqual(['mobile 2', 'desktop 3'])
  })

  it.each(['/in', '/in?a=1', '/in/', '/in/page', '/in/page?a=1'])('finds by its address what a router has answered: %s', async (path) => {
    const site = await open(express, (app, cache) => {
      const router = express.Router()
      router.use(cacheResponses({ cache, ttl: '1m' }), counting())
      app.use('/in', router)
    })
    await site.get(path)
    await site.cache.delete(`GET http://127.0.0.1:${site.port}${path}`)

    expect((await site.get(path)).body).toBe('run 2')
  })

  it('hides from the handler the parameters that do not tell pages apart', async () => {
    const site = await openPage(express, (req, res) => void res.send(`${req.originalUrl} ${req.url} ${JSON.stringify(req.query)}`), { query: { ignore: ['utm_*', 'gclid'] } })
    await site.get('/p?utm_source=%3Cscript%3E&a=1&gclid=evil&utm_x=evil')

    expect((await site.get('/p?a=1')).body).not.toMatch(/script|evil/)
  })

  it('does not take what belongs to an ignored parameter for another one, however it is written', async () => {
    const page = counting((req, res) => res.json(req.query))
    const site = await openPage(express, page, { query: { ignore: ['utm_*'] } })
    // Readers that split at `;` see a=evil in the first: it must not be what the second shows.
    await site.get('/p?utm_x=1;a=evil&a=1')

    expect((await site.get('/p?a=1')).body).not.toContain('evil')
  })

  it.each(['|', ':', '$$appendKey=', '\\', '"', ',', ';', '&', '%7C', '{}'])('never takes the parts of one request for those of another, joined by %s', async (mark) => {
    const site = await openPage(express, (req, res) => void res.vary('X-A, X-B').send(`${req.originalUrl} [${req.get('x-a')}] [${req.get('x-b')}]`))
    const visit = async (path: string, a: string, b: string): Promise<string> => (await site.get(path, { 'x-a': a, 'x-b': b })).body

    await visit('/p', `1${mark}2`, '3')
    expect(await visit('/p', '1', `2${mark}3`)).toBe(`/p [1] [2${mark}3]`)
    expect(await visit('/p', `1${mark}2${mark}3`, '')).toBe(`/p [1${mark}2${mark}3] []`)
    await visit(`/q${encodeURIComponent(mark)}x-a=1`, '', '')
    expect(await visit('/q', '1', '')).toBe('/q [1] []')
  })

  it('never takes the headers of one request for those of another, whatever is in them', async () => {
    const site = await openPage(express, (req, res) => void res.send(`[${req.get('x-a') ?? ''}] [${req.get('x-b') ?? ''}]`), { vary: ['X-A', 'X-B'] })
    const values = [undefined, '1', '1 x-b=2', '1 x-b', '2', '2 x-b', '1%20x-b=2', '1|x-b=2', '1\tx-b=2', '=1']
    const header = (name: string, value: string | undefined): Record<string, string> => (value === undefined ? {} : { [name]: value })
    for (const a of [...values, ...values]) {
      for (const b of values) expect((await site.get('/', { ...header('x-a', a), ...header('x-b', b) })).body).toBe(`[${a ?? ''}] [${b ?? ''}]`)
    }
  })

  it('never takes a room for a part of a key, and no key for a room', async () => {
    const site = await openPage(express, (req, res) => void res.send(`${String(req.query.k)} in ${String(req.query.r)}`), {
      key: (req) => String(req.query.k),
      room: (req) => (req.query.r === undefined ? undefined : String(req.query.r)),
    })
    for (const [k, r] of [['a', 'b'], ['a room=b', undefined], ['a', 'b room=c'], ['a room=b', 'c'], ['a%20room=b', undefined]] as const) {
      const query = `k=${encodeURIComponent(k)}${r === undefined ? '' : `&r=${encodeURIComponent(r)}`}`
      expect((await site.get(`/?${query}`)).body).toBe(`${k} in ${String(r)}`)
    }
  })

  it('never takes a key of the application for another one', async () => {
    const site = await openPage(express, (req, res) => void res.send(`of ${String(req.query.user)} at ${req.path}`), { key: (req) => String(req.query.user) })
    await site.get('/a?user=1')

    expect((await site.get('/a?user=2')).body).toBe('of 2 at /a')
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__', 'prototype'])('answers as ever for whoever says %s', async (name) => {
    const page = counting((req, res) => res.vary(`X-A, ${name}`).send(`at ${req.path} by ${req.get(name) ?? 'nobody'} ${JSON.stringify(req.query)}`))
    const site = await openPage(express, page, { room: () => name, tags: [name], cookies: [name] })
    const bare = express()
    bare.all(/.*/, (req, res) => void res.vary('X-A').send(`at ${req.path} by ${req.get(name) ?? 'nobody'} ${JSON.stringify(req.query)}`))
    const { get } = await serve(bare)

    for (const path of [`/${name}`, `/?${name}=1`, `/?${name}[x]=1`, `/?x=${name}`, '/']) {
      for (const headers of [{}, { [name]: '1' }, { cookie: `${name}=1` }]) {
        for (let round = 0; round < 2; round++) expect((await site.get(path, headers)).body).toBe((await get(path, headers)).body)
      }
    }
    expect(({} as Record<string, unknown>).x).toBeUndefined()
    await site.cache.invalidate({ room: name })
    const before = page.runs
    await site.get('/')
    expect(page.runs).toBe(before + 1)
  })

  it('never shows one visitor the account of another at an address that ends like a picture', async () => {
    const site = await openPage(express, (req, res) => void res.send(`account of ${req.headers.cookie ?? 'nobody'}`))

    for (const path of ['/account/x.css', '/account;x.css', '/account%00.css', '/account%2f..%2fx.css', '/account%23a.js', '/account%3Fa.png', '/account/..%2fstatic/x.js', '/account/%2e%2e/x.ico']) {
      await site.get(path, { cookie: 'sid=victim' })
      expect((await site.get(path)).body).toBe('account of nobody')
    }
  })

  it('keeps nothing of a page that did not ask for it, when it stands before the whole application', async () => {
    const page = counting()
    const site = await open(express, (app, cache) => {
      app.use(cacheResponses({ cache }))
      app.get('/', page)
    })
    await site.get('/')

    expect((await site.get('/')).body).toBe('run 2')
  })
})
