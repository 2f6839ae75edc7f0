import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { NextFunction, Request, Response } from 'express'

export type Way = (req: Request, res: Response, next: NextFunction) => unknown

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0xff, 0xfe, 0x80])

/** A producer that writes again and again from the same memory, as pools do, each time as soon as it is free again. */
async function reusing(res: Response): Promise<void> {
  const pool = Buffer.alloc(4)
  for (const word of ['one ', 'two ', 'six ']) {
    pool.write(word)
    await new Promise<unknown>((resolve) => res.write(pool, resolve))
  }
  res.end()
}

/** All the ways in which a handler may answer. What the cache does with them is nobody's business, as long as each visitor has the same answer. */
export const waysToAnswer = (folder: string): readonly (readonly [name: string, way: Way])[] => {
  writeFileSync(join(folder, 'file.txt'), 'a file '.repeat(100))
  return [
    ['send of a text', (_req, res) => res.send('text')],
    ['send of an empty text', (_req, res) => res.send('')],
    ['send of bytes', (_req, res) => res.send(PNG)],
    ['send of an object', (_req, res) => res.send({ a: 1 })],
    ['json', (_req, res) => res.json({ a: ['é', null, '<'] })],
    ['json by settings of the application', (req, res) => {
      req.app.set('json spaces', 2)
      req.app.set('json escape', true)
      res.json({ a: '<script>' })
    }],
    ['jsonp', (_req, res) => res.jsonp({ a: 1 })],
    ['sendStatus', (_req, res) => res.sendStatus(200)],
    ['sendFile', (_req, res) => res.sendFile('file.txt', { root: folder })],
    ['download', (_req, res) => res.download(join(folder, 'file.txt'), 'naïve.txt')],
    ['redirect', (_req, res) => res.redirect(301, '/elsewhere?a=ü')],
    ['format', (_req, res) => res.format({ text: () => res.send('text'), default: () => res.send('other') })],
    ['attachment and type', (_req, res) => res.attachment('a.csv').type('csv').send('a;b')],
    ['links, vary and append', (_req, res) => res.links({ next: '/2' }).vary('X-A').append('X-B', '1').append('X-B', '2').send('text')],
    ['end of a text', (_req, res) => res.end('text')],
    ['end of nothing', (_req, res) => res.end()],
    ['end with a callback only', (_req, res) => res.end(() => {})],
    ['end of a text with a callback', (_req, res) => res.end('text', () => {})],
    ['end of base64', (_req, res) => res.end(PNG.toString('base64'), 'base64')],
    ['end of hex with a callback', (_req, res) => res.end(PNG.toString('hex'), 'hex', () => {})],
    ['end of latin1', (_req, res) => res.end('\u00e9\u00ff', 'latin1')],
    ['end of null', (_req, res) => (res as unknown as { end(chunk: null): void }).end(null)],
    ['write and end', (_req, res) => {
      res.write('one ')
      res.end('two')
    }],
    ['write of every encoding', (_req, res) => {
      res.write('\u00ff', 'latin1')
      res.write('AAEC/w==', 'base64')
      res.write('00ff', 'hex')
      res.write(new Uint8Array([1, 2, 255]))
      res.write('é', 'utf16le', () => res.end())
    }],
    ['write of a character in two halves', (_req, res) => {
      const bytes = Buffer.from('😀')
      res.write(bytes.subarray(0, 2))
      setImmediate(() => res.end(bytes.subarray(2)))
    }],
    ['write of nothing', (_req, res) => {
      res.write('')
      res.write(Buffer.alloc(0))
      res.end('text')
    }],
    ['write from memory that is used again', (_req, res) => reusing(res)],
    ['flushHeaders and then the body', (_req, res) => {
      res.set('X-A', '1').flushHeaders()
      setImmediate(() => res.end('late'))
    }],
    ['writeHead with a status', (_req, res) => res.writeHead(203).end('text')],
    ['writeHead with a reason', (_req, res) => res.writeHead(200, 'Fine').end('text')],
    ['writeHead with an object', (_req, res) => res.writeHead(200, { 'X-A': '1', 'x-b': ['1', '2'] }).end('text')],
    ['writeHead with a reason and an object', (_req, res) => res.writeHead(200, 'Fine', { 'X-A': '1' }).end('text')],
    ['writeHead with no reason and an object', (_req, res) => res.writeHead(200, undefined, { 'X-A': '1' }).end('text')],
    ['writeHead with a flat list', (_req, res) => res.writeHead(200, ['X-A', '1', 'X-B', '2']).end('text')],
    ['writeHead with a list that repeats names', (_req, res) => res.writeHead(200, ['X-A', '1', 'X-A', '2']).end('text')],
    ['writeHead over headers that were set', (_req, res) => res.set({ 'x-a': 'old', 'X-C': 'c' }).writeHead(200, { 'X-A': 'new' }).end('text')],
    ['writeHead with a list over headers that were set', (_req, res) => res.set('x-a', 'old').writeHead(200, ['X-A', 'new']).end('text')],
    ['writeHead with Content-Length', (_req, res) => res.writeHead(200, { 'Content-Length': 4 }).end('text')],
    ['headers by appendHeader and setHeaders', (_req, res) => {
      res.setHeaders(new Map([['x-a', '1']]))
      res.appendHeader('X-A', '2')
      res.end('text')
    }],
    ['a header that was taken back', (_req, res) => {
      res.set('X-A', '1').removeHeader('x-a')
      res.send('text')
    }],
    ['a number as a header', (_req, res) => res.setHeader('X-A', 7).end('text')],
    ['pipe', (_req, res) => Readable.from(['one ', 'two']).pipe(res)],
    ['pipe of a lot', (_req, res) => Readable.from(Array.from({ length: 50 }, (_, i) => Buffer.alloc(5000, i))).pipe(res)],
    ['pipeline', (_req, res) => pipeline(Readable.from(['one ', 'two']), new Transform({ transform: (chunk, _e, done) => done(null, String(chunk).toUpperCase()) }), res)],
    ['a stream of the web', (_req, res) => Readable.fromWeb(new globalThis.Response('of the web').body as never).pipe(res)],
    ['204', (_req, res) => res.status(204).end()],
    ['204 with a length', (_req, res) => res.status(204).set('Content-Length', '4').end()],
    ['205', (_req, res) => res.status(205).end()],
    ['statusMessage', (_req, res) => {
      res.statusMessage = 'Splendid'
      res.send('text')
    }],
    ['an answer after a turn', (_req, res) => void setImmediate(() => res.send('text'))],
    ['an answer from an async handler', async (_req, res) => {
      await Promise.resolve()
      res.send('text')
    }],
    ['cork and uncork', (_req, res) => {
      res.cork()
      res.write('one ')
      res.write('two')
      process.nextTick(() => res.uncork())
      res.end()
    }],
    ['a body where none belongs', (_req, res) => res.status(204).send('text')],
    ['headers in capitals', (_req, res) => res.setHeader('X-SHOUTING', '1').setHeader('ETAG', '"a"').end('text')],
    ['a header beyond ASCII', (_req, res) => res.setHeader('X-A', '\u00e9').end(Buffer.from('text'))],
  ]
}
