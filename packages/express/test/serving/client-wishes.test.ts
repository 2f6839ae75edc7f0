import { expect, it } from 'vitest'
import { counting } from '../safety/counting.js'
import { openObedientPage, openPage } from '../safety/page.js'
import { onBothVersions } from '../safety/versions.js'

onBothVersions((express) => {
  it.each([
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'max-age=0' },
    { 'cache-control': 'min-fresh=3600' },
    { 'cache-control': 'no-cache, max-stale' },
    { 'cache-control': 'min-fresh=3600, max-stale=60' },
    { pragma: 'no-cache' },
  ])('asks the handler for a visitor who wants it asked, where they are obeyed: %j', async (headers) => {
    const page = counting()
    const site = await openPage(express, page, { requestDirectives: true })
    await site.get('/')

    const asked = await site.get('/', headers)
    expect([asked.body, asked.headers['cache-status']]).toEqual(['run 2', expect.stringContaining('fwd=request')])
    expect((await site.get('/')).body).toBe('run 2')
  })

  it('gives a visitor who takes it a page that is stale, and asks for the others', async () => {
    const page = counting((_req, res, run) => res.set('Cache-Control', 'max-age=10').set('Age', run === 1 ? '20' : '0').send(`run ${run}`))
    const site = await openObedientPage(express, page, { requestDirectives: true })
    await site.get('/')

    const taken = await site.get('/', { 'cache-control': 'max-stale=60' })
    expect([taken.body, taken.headers['cache-status']]).toEqual(['run 1', expect.stringContaining('detail=max-stale')])
    expect((await site.get('/', { 'cache-control': 'no-cache, max-stale=60' })).body).toBe('run 2')
  })

  it.each([
    [false, {}],
    [true, {}],
    [true, { 'cache-control': 'max-stale=60' }],
  ])('asks the handler again for a page that the application has let expire (requestDirectives: %s, %j)', async (requestDirectives, headers) => {
    const page = counting()
    const site = await openPage(express, page, { tags: ['shop'], requestDirectives })
    await site.get('/')
    await site.cache.expire({ tag: 'shop' })

    expect((await site.get('/', headers)).body).toBe('run 2')
  })
})
