import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheResponses } from '@tiercel/express'
import compression from 'compression'
import { expect, it, onTestFinished } from 'vitest'
import { counting } from './counting.js'
import { openPage } from './page.js'
import { open } from './site.js'
import { onBothVersions } from './versions.js'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'

onBothVersions((express) => {
  it('shows nobody a part as the whole, though another visitor asked for a part first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tiercel-file-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'a.txt'), ALPHABET)
    const site = await openPage(express, (_req, res) => res.sendFile('a.txt', { root: folder }))

    const part = await site.get('/', { range: 'bytes=2-4' })
    expect([part.status, part.body]).toEqual(part.status === 206 ? [206, 'cde'] : [200, ALPHABET])
    for (let round = 0; round < 2; round++) {
      const whole = await site.get('/')
      expect([whole.status, whole.body, whole.headers['content-range']]).toEqual([200, ALPHABET, undefined])
    }
  })

  it.each([
    ['a 206 as the whole, though nobody asked for a part', 206, {}, { 'Content-Range': 'bytes 0-1/26' }],
    ['several parts as the whole, though nobody asked for a part', 206, {}, { 'Content-Type': 'multipart/byteranges; boundary=x' }],
    ['a 200 with Content-Range as the whole, though nobody asked for a part', 200, {}, { 'Content-Range': 'bytes 0-1/26' }],
    ['a 206 as the whole, after somebody asked for a part', 206, { range: 'bytes=0-1' }, { 'Content-Range': 'bytes 0-1/26' }],
    ['a 200 with Content-Range as the whole, after somebody asked for a part', 200, { range: 'bytes=0-1' }, { 'Content-Range': 'bytes 0-1/26' }],
  ])('shows nobody %s', async (_name, status, headers, partial) => {
    const site = await openPage(
      express,
      counting((_req, res, run) => (run === 1 ? res.writeHead(status, { ...partial, 'Cache-Control': 'max-age=60' }).end('ab') : res.send(ALPHABET))),
    )
    await site.get('/', headers)

    expect((await site.get('/')).body).toBe(ALPHABET)
  })

  it.each([
    ['bytes=0-0', 206, 'a', 'bytes 0-0/26'],
    ['bytes=24-', 206, 'yz', 'bytes 24-25/26'],
    ['bytes=-3', 206, 'xyz', 'bytes 23-25/26'],
    ['bytes=5-1000', 206, ALPHABET.slice(5), 'bytes 5-25/26'],
    ['bytes=-1000', 206, ALPHABET, 'bytes 0-25/26'],
    ['bytes=26-', 416, undefined, 'bytes */26'],
    ['bytes=1000-2000', 416, undefined, 'bytes */26'],
    ['bytes=4-2', 200, ALPHABET, undefined],
    ['bytes=a-b', 200, ALPHABET, undefined],
    ['bytes=', 200, ALPHABET, undefined],
    ['lines=0-1', 200, ALPHABET, undefined],
    ['bytes=0-99999999999999999999', 206, ALPHABET, 'bytes 0-25/26'],
  ])('gives of a kept page what %s asks for', async (range, status, body, contentRange) => {
    const page = counting((_req, res) => res.send(ALPHABET))
    const site = await openPage(express, page)
    await site.get('/')

    const part = await site.get('/', { range })
    expect([part.status, part.headers['content-range']]).toEqual([status, contentRange])
    expect(part.body).toBe(body ?? part.body)
    expect(part.headers['content-length']).toBe(String(part.bytes.length))
    expect((await site.get('/')).body).toBe(ALPHABET)
    expect(page.runs).toBe(1)
  })

  it('gives of a kept page the part that is asked for, and not that part compressed by itself', async () => {
    const site = await open(express, (app, cache) => {
      app.use(compression({ threshold: 0 }))
      app.get('/', cacheResponses({ cache, ttl: '1m' }), (_req, res) => void res.type('text').set('Cache-Control', 'max-age=60').send('0123456789'))
    })
    await site.get('/')
    const { status, headers, body } = await site.get('/', { range: 'bytes=2-4', 'accept-encoding': 'gzip' })

    expect([status, headers['content-range'], headers['content-encoding'], headers['cache-control'], body]).toEqual([206, 'bytes 2-4/10', undefined, 'max-age=60, no-transform', '234'])
  })

  it('does not do a thousand times the work for a thousand parts', async () => {
    const site = await openPage(express, counting((_req, res) => res.send(ALPHABET)))
    await site.get('/')

    const whole = await site.get('/', { range: `bytes=${'0-1,'.repeat(1000)}0-1` })
    expect([whole.status, whole.body]).toEqual([200, ALPHABET])
  })

  it('gives the whole to who has a part of another version', async () => {
    const site = await openPage(express, counting((_req, res) => res.set('ETag', '"v2"').set('Last-Modified', 'Sat, 21 Nov 2020 00:00:00 GMT').send(ALPHABET)))
    await site.get('/')
    const statusFor = async (ifRange: string): Promise<number> => (await site.get('/', { range: 'bytes=0-1', 'if-range': ifRange })).status

    expect(await statusFor('"v2"')).toBe(206)
    expect(await statusFor('"v1"')).toBe(200)
    expect(await statusFor('W/"v2"')).toBe(200)
    expect(await statusFor('Sat, 21 Nov 2015 00:00:00 GMT')).toBe(200)
    expect(await statusFor('nonsense')).toBe(200)
  })

  it.each([
    ['if-none-match', '"v1"'],
    ['if-none-match', '*'],
    ['if-modified-since', 'Sat, 21 Nov 2099 00:00:00 GMT'],
    ['if-match', '"v0"'],
    ['if-unmodified-since', 'Sat, 21 Nov 1999 00:00:00 GMT'],
    ['if-range', '"v1"'],
  ])('shows the page to others though the first to come had one already, by %s: %s', async (name, value) => {
    const site = await openPage(express, counting((_req, res) => res.set('ETag', '"v1"').set('Last-Modified', 'Sat, 21 Nov 2020 00:00:00 GMT').send(ALPHABET)))
    const first = await site.get('/', { [name]: value })
    expect([200, 304, 412]).toContain(first.status)

    for (let round = 0; round < 2; round++) {
      const whole = await site.get('/')
      expect([whole.status, whole.body]).toEqual([200, ALPHABET])
    }
  })

  it('shows the page to others though the first to come asked for its headers only', async () => {
    const site = await openPage(express, counting((_req, res) => res.send(ALPHABET)))
    const head = await site.send('/', { method: 'HEAD' })
    expect([head.status, head.body]).toEqual([200, ''])

    expect((await site.get('/')).body).toBe(ALPHABET)
    expect((await site.send('/', { method: 'HEAD' })).headers['content-length']).toBe('26')
    expect((await site.get('/')).body).toBe(ALPHABET)
  })

  it.each(['"v1', 'W/', '"a", W/"b", ', ',,,', '"'.repeat(50), `"${'x'.repeat(50)}"`, '\u0080\u00ff', '"v\\"1"', '*, "v1"'])('answers as ever whoever sends a forged If-None-Match, such as %s', async (value) => {
    const site = await openPage(express, counting((_req, res) => res.set('ETag', '"v1"').send(ALPHABET)))
    await site.get('/')
    const answer = await site.raw(Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\nIf-None-Match: ${value}\r\nConnection: close\r\n\r\n`, 'latin1'))

    expect(answer).toMatch(/^HTTP\/1\.1 (304 |200 [^]*abcdefghijklmnopqrstuvwxyz$)/)
  })
})
