import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { openPage } from './page.js'
import { onBothVersions } from './versions.js'

onBothVersions((express) => {
  it('keeps no more pages than the cache may, however many addresses are asked for', async () => {
    const site = await openPage(express, counting((_req, res) => res.send('x'.repeat(1000))), { cacheOptions: { memory: { maxEntries: 50, maxBytes: 100_000 } } })
    for (let i = 0; i < 300; i++) expect((await site.get(`/?flood=${i}`)).status).toBe(200)

    const { entries, bytes } = site.cache.stats().memory
    expect(entries).toBeLessThanOrEqual(50)
    expect(bytes).toBeLessThanOrEqual(100_000)
  })

  it('keeps nothing of an address that is asked for once, if told so', async () => {
    const page = counting()
    const site = await openPage(express, page, { admit: 'second' })
    await site.get('/wanted')
    await site.get('/wanted')
    for (let i = 0; i < 100; i++) await site.get(`/?flood=${i}`)

    expect(site.cache.stats().memory.entries).toBeLessThan(10)
    const before = page.runs
    await site.get('/wanted')
    expect(page.runs).toBe(before)
  })

  it.each(['User-Agent', 'Accept-Language', 'X-Anything'])('keeps no more variants of a page than it may, however many it is made to have by %s', async (header) => {
    const site = await openPage(express, counting((req, res) => res.vary(header).send(`for ${req.get(header)} ${'x'.repeat(100)}`)), { maxVariants: 8 })
    for (let i = 0; i < 200; i++) expect((await site.get('/', { [header.toLowerCase()]: `agent ${i}` })).body).toContain(`for agent ${i} `)

    expect(site.cache.stats().memory.entries).toBeLessThan(30)
  })

  it('keeps no more variants of a page than it may, however many headers it varies by', async () => {
    const site = await openPage(express, counting((_req, res, run) => res.set('Vary', Array.from({ length: run }, (_, i) => `x-${i}`).join(', ')).send(`run ${run}`)), { maxVariants: 8 })
    for (let i = 0; i < 60; i++) expect((await site.get('/', { [`x-${i}`]: String(i) })).status).toBe(200)

    expect(site.cache.stats().memory.entries).toBeLessThan(30)
  })

  it.each(['', 'de'])('lets nobody keep others from what is kept by asking for variants that cannot be, in the language %j', async (language) => {
    const page = counting((req, res, run) => {
      res.vary('Accept-Language').status(req.get('accept-language') === 'none' ? 406 : 200).send(`run ${run}`)
    })
    const site = await openPage(express, page)
    const headers = language === '' ? {} : { 'accept-language': language }
    await site.get('/', { 'accept-language': 'en' })
    const { body } = await site.get('/', headers)
    for (let i = 0; i < 5; i++) expect((await site.get('/', { 'accept-language': 'none' })).status).toBe(406)

    expect((await site.get('/', { 'accept-language': 'en' })).body).toBe('run 1')
    expect((await site.get('/', headers)).body).toBe(body)
  })

  it('holds no more of a visitor than an address, however long the address is', async () => {
    const site = await openPage(express, counting(), { cacheOptions: { memory: { maxBytes: 200_000 } } })
    for (let i = 0; i < 100; i++) expect((await site.get(`/?${i}=${'x'.repeat(7000)}`)).status).toBe(200)

    expect(site.cache.stats().memory.bytes).toBeLessThanOrEqual(200_000)
  })

  it('answers thousands who come together with one run of the handler', async () => {
    const page = counting((_req, res, run) => void setTimeout(() => res.send(`run ${run}`), 50))
    const site = await openPage(express, page)
    const answers = await Promise.all(Array.from({ length: 200 }, () => site.get('/')))

    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['run 1']))
    expect(page.runs).toBe(1)
  })
})
