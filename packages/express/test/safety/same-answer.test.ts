import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openPage } from './page.js'
import { serve, type Answer } from './site.js'
import { onBothVersions } from './versions.js'
import { waysToAnswer } from './ways-to-answer.js'

const folder = mkdtempSync(join(tmpdir(), 'tiercel-ways-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What the cache may add or change, and how a body is framed on its way: that a length is right is part of an answer being complete. */
const OF_THE_CACHE = new Set(['date', 'age', 'cache-status', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'etag'])

function essence({ status, rawHeaders, body }: Answer): unknown {
  const headers: [string, string][] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i]?.toLowerCase(), rawHeaders[i + 1]]
    if (!OF_THE_CACHE.has(name)) headers.push([name, value])
  }
  return { status, headers: headers.toSorted(([a, x], [b, y]) => (a === b ? x.localeCompare(y) : a.localeCompare(b))), body }
}

onBothVersions((express) => {
  it.each(waysToAnswer(folder))('gives all visitors what the handler gives by %s', async (_name, way) => {
    const bare = express()
    // Node treats a list of headers in another way when one was set before.
    bare.disable('x-powered-by')
    bare.all(/.*/, (req, res, next) => void way(req, res, next))
    const { send: plainly } = await serve(bare)
    const site = await openPage(express, (req, res, next) => void way(req, res, next), { bare: true })

    for (const method of ['GET', 'HEAD']) {
      const expected = await plainly('/?callback=cb', { method })
      for (let visit = 0; visit < 3; visit++) {
        const answer = await site.send('/?callback=cb', { method })
        expect(essence(answer)).toEqual(essence(expected))
        expect(answer.complete).toBe(true)
        expect(answer.headers.etag).toBe(expected.headers.etag ?? answer.headers.etag)
      }
    }
  })

  it.each(waysToAnswer(folder))('gives who comes for its headers first what the handler gives by %s', async (_name, way) => {
    const bare = express()
    // Node treats a list of headers in another way when one was set before.
    bare.disable('x-powered-by')
    bare.all(/.*/, (req, res, next) => void way(req, res, next))
    const { send: plainly } = await serve(bare)
    const site = await openPage(express, (req, res, next) => void way(req, res, next), { bare: true })

    for (const method of ['HEAD', 'GET', 'HEAD']) expect(essence(await site.send('/?callback=cb', { method }))).toEqual(essence(await plainly('/?callback=cb', { method })))
  })
})
