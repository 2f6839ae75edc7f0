import { expect, it } from 'vitest'
import { parseSearchRule } from '../../src/request/search-rules.js'
import { counting } from '../safety/counting.js'
import { openPage } from '../safety/page.js'
import { onBothVersions } from '../safety/versions.js'

onBothVersions((express) => {
  it('gives one response to all URLs that its No-Vary-Search calls the same', async () => {
    const page = counting((req, res, run) => res.set('No-Vary-Search', 'key-order, params=("utm_source")').send(`${req.originalUrl} ${run}`))
    const site = await openPage(express, page)
    await site.get('/?a=1&b=2&utm_source=x')
    // The rule is known from now on, and the response is kept by it.
    const { body } = await site.get('/?utm_source=y&b=2&a=1')
    expect(body).toBe('/?utm_source=y&b=2&a=1 2')
    for (const url of ['/?a=1&b=2', '/?b=2&a=1&utm_source=z', '/?utm_source=&a=1&b=2']) expect((await site.get(url)).body).toBe(body)

    for (const url of ['/?a=2&b=2', '/?a=1', '/other?a=1&b=2']) expect((await site.get(url)).body).toContain(`${url} `)
  })

  it('gives each URL its own response again when No-Vary-Search is gone', async () => {
    const page = counting((req, res, run) => (run < 3 ? res.set('No-Vary-Search', 'params') : res).send(`${req.originalUrl} ${run}`))
    const site = await openPage(express, page)
    await site.get('/?a=1')
    expect((await site.get('/?a=2')).body).toBe('/?a=2 2')
    expect((await site.get('/?a=3')).body).toBe('/?a=2 2')
    await site.cache.invalidate({ all: true })

    for (const url of ['/?a=1', '/?a=2', '/?a=3', '/?a=1']) expect((await site.get(url)).body).toContain(`${url} `)
  })

  it('forgets after a write what No-Vary-Search has put together', async () => {
    const page = counting((req, res, run) => (req.method === 'GET' ? res.set('No-Vary-Search', 'params=("x")').send(`run ${run}`) : res.sendStatus(204)))
    const site = await openPage(express, page)
    for (const url of ['/p?x=1', '/p?x=2', '/p?x=3']) await site.get(url)
    expect((await site.get('/p')).body).toBe('run 2')
    await site.send('/p?x=9', { method: 'POST' })

    expect((await site.get('/p')).body).toBe('run 4')
  })
})

it.each([
  ['params', ['a', 'b'], []],
  ['params=("a")', ['a'], ['b']],
  ['params, except=("a")', ['b'], ['a']],
  ['params;x=1, key-order', ['a'], []],
])('reads %s', (field, ignored, counted) => {
  const rule = parseSearchRule(field)
  expect([ignored.map((name) => rule?.counts(name)), counted.map((name) => rule?.counts(name))]).toEqual([ignored.map(() => false), counted.map(() => true)])
})

it.each(['', 'params=?0', 'params=(a)', 'params=("a"), except=("b")', 'params=1', 'key-order="x"', 'params=("a"', 'params,', `params=("${'a'.repeat(2000)}")`])('lets every parameter count for %s', (field) => {
  expect(parseSearchRule(field)).toBeUndefined()
})
