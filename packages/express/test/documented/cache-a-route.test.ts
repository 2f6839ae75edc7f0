import type { RequestHandler } from 'express'
import { expect, it, vi } from 'vitest'
import { onBothVersions } from '../safety/versions.js'
import { serveSnippets } from './snippets.js'

onBothVersions((express) => {
  it('does what the guide says: docs/Guides/cache-a-route.md', async () => {
    const names = new Map([['1', 'Rome'], ['2', 'Oslo']])
    const db = {
      trip: vi.fn(async (id: string) => ({ name: names.get(id) })),
      rename: async (id: string, name: string) => void names.set(id, name),
      news: vi.fn(async () => ['nothing']),
    }
    const search: RequestHandler = (req, res) => void res.json([req.originalUrl, req.query])
    const site = await serveSnippets(express, 'docs/Guides/cache-a-route.md', { db, search, news: 'nothing' })
    const status = async (path: string): Promise<unknown> => (await site.get(path)).headers['cache-status']

    expect(await status('/trips/1')).toBe('tiercel; fwd=uri-miss; stored')
    expect(await status('/trips/1')).toMatch(/^tiercel; hit; ttl=([1-5]\d|60)$/)
    await site.get('/trips/2')
    const write = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"name":"Roma"}' }
    expect((await site.send('/trips/1', write)).status).toBe(204)
    expect((await site.get('/trips/1')).body).toBe('{"name":"Roma"}')
    expect((await site.get('/trips/2')).headers['cache-status']).toContain('hit')
    expect(db.trip).toHaveBeenCalledTimes(3)

    await site.get('/news')
    expect(await status('/news')).toContain('hit')
    expect(db.news).toHaveBeenCalledOnce()

    const one = await site.get('/search?q=a&b=1&utm_source=x')
    expect([one.body, await status('/search?b=1&gclid=y&q=a')]).toEqual(['["/search?b=1&q=a",{"b":"1","q":"a"}]', expect.stringContaining('hit')])
  })
})
