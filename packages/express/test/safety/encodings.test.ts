import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { cacheResponses } from '@tiercel/express'
import compression from 'compression'
import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { openPage } from './page.js'
import { open, type Answer } from './site.js'
import { onBothVersions } from './versions.js'

const TEXT = 'all work and no play '.repeat(500)

/** What each of these may be answered in, and in nothing else. */
const READERS: readonly (readonly [acceptEncoding: string | undefined, allowed: readonly string[]])[] = [
  ['gzip', ['identity', 'gzip']],
  [undefined, ['identity', 'gzip', 'br', 'deflate']],
  ['identity', ['identity']],
  ['br', ['identity', 'br']],
  ['gzip;q=0', ['identity']],
  ['br;q=0, gzip;q=0.5', ['identity', 'gzip']],
  ['deflate', ['identity', 'deflate']],
  ['', ['identity']],
  ['gzip;q=0, *', ['identity', 'br', 'deflate']],
  ['GZIP', ['identity', 'gzip']],
  ['x-unknown', ['identity']],
]

const decoders: Record<string, (bytes: Buffer) => Buffer> = { identity: (bytes) => bytes, gzip: gunzipSync, br: brotliDecompressSync, deflate: inflateSync }

function encodingOf(answer: Answer): string {
  const encoding = String(answer.headers['content-encoding'] ?? 'identity')
  expect(decoders[encoding]?.(answer.bytes).toString()).toBe(TEXT)
  return encoding
}

onBothVersions((express) => {
  const places = ['before the cache', 'behind the cache'] as const
  it.each(places)('gives each visitor an encoding they can read, with compression %s', async (place) => {
    const site = await open(express, (app, cache) => {
      const both = [compression({ threshold: 0 }), cacheResponses({ cache, ttl: '1m' })]
      app.use(...(place === 'before the cache' ? both : both.toReversed()))
      app.get('/', (_req, res) => void res.type('text').send(TEXT))
    })

    for (const [accept, allowed] of [...READERS, ...READERS.toReversed(), ...READERS]) {
      expect(allowed).toContain(encodingOf(await site.get('/', accept === undefined ? {} : { 'accept-encoding': accept })))
    }
  })

  it.each(places)('gives a streamed page in an encoding the visitor can read, with compression %s', async (place) => {
    const site = await open(express, (app, cache) => {
      const both = [compression({ threshold: 0 }), cacheResponses({ cache, ttl: '1m' })]
      app.use(...(place === 'before the cache' ? both : both.toReversed()))
      app.get('/', (_req, res) => {
        res.type('text')
        res.write(TEXT.slice(0, 5000))
        res.end(TEXT.slice(5000))
      })
    })

    for (const [accept, allowed] of [...READERS, ...READERS.toReversed()]) expect(allowed).toContain(encodingOf(await site.get('/', accept === undefined ? {} : { 'accept-encoding': accept })))
  })

  it.each(['says so by Vary', 'forgets Vary'])('gives nobody an encoding they cannot read, where the handler encodes by itself and %s', async (how) => {
    const page = counting((req, res) => {
      res.type('text')
      if (how === 'says so by Vary') res.vary('Accept-Encoding')
      if (/gzip(?!;q=0)/i.test(req.get('accept-encoding') ?? '')) return res.set('Content-Encoding', 'gzip').send(gzipSync(TEXT))
      return res.send(TEXT)
    })
    const site = await openPage(express, page)

    for (const [accept, allowed] of [...READERS, ...READERS.toReversed()]) expect(allowed).toContain(encodingOf(await site.get('/', { 'accept-encoding': accept ?? 'identity' })))
  })

  it('tells two encodings of a page apart by their validators', async () => {
    const site = await open(express, (app, cache) => {
      app.use(compression({ threshold: 0 }), cacheResponses({ cache, ttl: '1m' }))
      app.get('/', (_req, res) => void res.set('ETag', '"v1"').type('text').send(TEXT))
    })
    for (let round = 0; round < 2; round++) {
      const [plain, packed] = [await site.get('/', { 'accept-encoding': 'identity' }), await site.get('/', { 'accept-encoding': 'gzip' })]
      expect([packed.headers['content-encoding'], packed.headers.vary?.toLowerCase()]).toEqual(['gzip', 'accept-encoding'])
      expect(plain.headers['content-encoding']).toBeUndefined()
      expect(plain.body).toBe(TEXT)
    }
  })
})
