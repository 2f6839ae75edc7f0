import { once } from 'node:events'
import { connect, createServer, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createCache } from '@tiercel/core'
import { cacheResponses } from '@tiercel/express'
import { expect, it, onTestFinished } from 'vitest'

/**
 * Express itself does not run over HTTP/2: what is called here is the middleware alone, as frameworks of its shape do.
 */
async function openHttp2(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<(headers: object) => Promise<{ headers: IncomingHttpHeaders; body: string }>> {
  const cache = createCache({ redis: false })
  const cached = cacheResponses({ cache, ttl: '1m' })
  const server = createServer((request, response) => {
    const [req, res] = [request as unknown as IncomingMessage, response as unknown as ServerResponse]
    cached(req, res, () => handler(req, res))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(async () => {
    client.destroy()
    server.close()
    await cache.close()
  })
  return async (headers) => {
    const stream = client.request({ ':path': '/', ...headers })
    stream.end()
    const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders]
    let body = ''
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()))
    await once(stream, 'end')
    return { headers: answered, body }
  }
}

it('answers over HTTP/2 what it has kept', async () => {
  let runs = 0
  const visit = await openHttp2((_req, res) => {
    res.setHeader('X-Run', String(++runs))
    res.end(`run ${runs}`)
  })
  expect((await visit({})).body).toBe('run 1')

  const second = await visit({})
  expect([second.body, second.headers['x-run']]).toEqual(['run 1', '1'])
})

it('keeps the pages of authorities apart, and believes the one who spoke first', async () => {
  const visit = await openHttp2((req, res) => void res.end(`at ${req.headers[':authority'] as string} ${req.headers.host ?? ''}`))
  await visit({ ':authority': 'evil.example', host: 'good.example' })

  expect((await visit({ ':authority': 'good.example' })).body).not.toContain('evil')
  expect((await visit({ ':authority': 'a.example' })).body).toContain('a.example')
  expect((await visit({ ':authority': 'b.example' })).body).toContain('b.example')
})

it('forgets over HTTP/2 what was written, and has Node warn of nothing', async () => {
  const warnings: string[] = []
  const note = (warning: Error): unknown => warnings.push(warning.message)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  let runs = 0
  const visit = await openHttp2((_req, res) => {
    res.setHeader('ETag', '"v"')
    res.end(`run ${++runs}`)
    res.end('twice')
  })
  await visit({})
  expect((await visit({ ':method': 'PUT' })).body).toBe('run 2')

  expect((await visit({ 'if-none-match': '"v"' })).headers[':status']).toBe(304)
  expect((await visit({})).body).toBe('run 3')
  expect(warnings).toEqual([])
})
