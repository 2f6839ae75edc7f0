import { once } from 'node:events'
import { request as ask, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { counting } from './counting.js'
import { gate } from './gate.js'
import { openPage } from './page.js'
import { onBothVersions } from './versions.js'

/** The answer as soon as its headers are there. */
async function begin(port: number, path = '/', headers = {}): Promise<IncomingMessage> {
  const request = ask({ host: '127.0.0.1', port, path, headers, agent: false })
  request.on('error', () => {})
  request.end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  return response
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Of Buffers, in this process. */
function bytesInUse(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

onBothVersions((express) => {
  it('hands on each event of a stream of events when it comes, to each visitor their own', async () => {
    const site = await openPage(
      express,
      counting((req, res, run) => {
        res.set('Content-Type', 'text/event-stream').flushHeaders()
        res.write(`data: first of ${run}\n\n`)
        req.on('close', () => res.end())
      }),
    )
    for (const run of [1, 2]) {
      const stream = await begin(site.port)
      expect(String((await once(stream, 'data'))[0])).toBe(`data: first of ${run}\n\n`)
      stream.destroy()
    }
  })

  it('lets one visitor of a stream of events wait for no other', async () => {
    const site = await openPage(express, (_req, res) => {
      res.set('Content-Type', 'text/event-stream').flushHeaders()
      res.write('data: 1\n\n')
    })
    const streams = await Promise.all([begin(site.port), begin(site.port), begin(site.port)])

    const firsts = await Promise.all(streams.map(async (stream) => String((await once(stream, 'data'))[0])))
    expect(firsts).toEqual(['data: 1\n\n', 'data: 1\n\n', 'data: 1\n\n'])
    for (const stream of streams) stream.destroy()
  })

  it('hands on the first part of a page before the last is written', async () => {
    const release = gate()
    const site = await openPage(express, (_req, res) => {
      res.write('first ')
      void release.opened.then(() => res.end('last'))
    })
    const stream = await begin(site.port)
    expect(String((await once(stream, 'data'))[0])).toBe('first ')
    release.open()
    await once(stream, 'end')

    expect((await site.get('/')).body).toBe('first last')
  })

  it('keeps no more of a page that never ends than it may', async () => {
    const site = await openPage(
      express,
      (req, res) => {
        const chunk = Buffer.alloc(64 * 1024, 'x')
        const go = (): void => {
          let more = true
          while (more && !req.destroyed && !res.destroyed) more = res.write(chunk)
        }
        res.on('drain', go)
        go()
      },
      { maxBody: 100_000 },
    )
    const before = bytesInUse()
    const stream = await begin(site.port)
    let received = 0
    await new Promise<void>((resolve) => {
      stream.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received <= 100 * 1024 * 1024) return
        stream.pause()
        resolve()
      })
    })
    // What was collected is given back by another thread, a little later.
    await expect.poll(() => bytesInUse() - before, { timeout: 30_000 }).toBeLessThan(50 * 1024 * 1024)
    stream.destroy()
    await once(stream, 'close')
    expect(site.cache.stats().memory.entries).toBeLessThan(3)
  })

  it('keeps nothing that is larger than it may be', async () => {
    const site = await openPage(express, counting((_req, res, run) => res.send(`run ${run} ${'x'.repeat(2000)}`)), { maxBody: 1000 })
    await site.get('/')

    expect((await site.get('/')).body).toMatch(/^run 2 /)
    expect((await site.get('/')).body).toHaveLength(2006)
  })

  it('lets a slow visitor slow the handler down, and not fill the memory', async () => {
    let written = 0
    const site = await openPage(
      express,
      (_req, res) => {
        const chunk = Buffer.alloc(64 * 1024, 'x')
        let stopped = false
        while (!stopped && written < 64 * 1024 * 1024) {
          stopped = !res.write(chunk)
          written += chunk.length
        }
      },
      { maxBody: 1000 },
    )
    const stream = await begin(site.port)
    stream.destroy()

    expect(written).toBeLessThan(64 * 1024 * 1024)
  })

  it('keeps nobody waiting for a visitor who does not read, for longer than it may', async () => {
    const site = await openPage(express, (_req, res) => void Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(100_000, 'x'))).pipe(res), { maxBody: 20_000_000, maxWait: 200 })
    const stalled = await begin(site.port)

    expect((await site.get('/')).bytes).toHaveLength(10_000_000)
    stalled.destroy()
    expect((await site.get('/')).bytes).toHaveLength(10_000_000)
  })

  it('gives a page with trailers to the next visitor as a whole answer', async () => {
    const site = await openPage(express, (_req, res) => {
      res.writeHead(200, { Trailer: 'X-Sum', 'Content-Type': 'text/plain' })
      res.write('page')
      res.addTrailers({ 'X-Sum': '1' })
      res.end()
    })

    for (let round = 0; round < 3; round++) {
      const answer = await site.get('/')
      expect([answer.body, answer.complete]).toEqual(['page', true])
    }
  })

  it('lets an upgrade through to who handles it', async () => {
    const site = await openPage(express, counting())
    await site.get('/', { host: 'a' })
    const answer = await site.raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n')

    expect(answer).not.toContain('run 1\r\nHTTP')
    expect((await site.get('/', { host: 'a' })).status).toBe(200)
  })

  it('hands on what is said before an answer', async () => {
    const site = await openPage(express, counting((_req, res, run) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' })
      res.writeProcessing()
      res.send(`run ${run}`)
    }))
    const first = await site.raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(first).toContain('HTTP/1.1 103 ')
    expect(first).toContain('HTTP/1.1 102 ')

    expect((await site.get('/', { host: 'a' })).body).toBe('run 1')
  })
})
