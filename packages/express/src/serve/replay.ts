import type { IncomingMessage, ServerResponse } from 'node:http'
import { isNotModified, type Preconditions } from '../request/conditional.js'
import { isSameVersion, rangeOf } from '../request/range.js'
import type { StoredResponse } from '../response/stored-response.js'
import { sendBody } from './send-body.js'

/** What answering takes; the response itself, or what is left below those who patched it. */
export interface Sink {
  writeHead(status: number, message?: string): unknown
  end(body?: Buffer | string, encoding?: BufferEncoding): unknown
}

/** The headers that describe a body, which a 304 does not have. */
const OF_BODY = new Set(['content-type', 'content-encoding', 'content-language', 'content-md5'])

/** Answers a request from a stored response: all of it, the part that was asked for, or a 304. What it does not set, such as what middleware has set before, stays. */
export function replay(response: StoredResponse, { headers: wanted, method }: Pick<IncomingMessage, 'headers' | 'method'>, res: ServerResponse, sink: Sink, preconditions: Preconditions | undefined, now = performance.now()): void {
  const { record, body } = response
  const { status, headers } = record
  if (preconditions !== undefined && isNotModified(preconditions, status, headers)) {
    setHeaders(response, res, now, (name) => !OF_BODY.has(name))
    sink.writeHead(304)
    sink.end()
    return
  }
  setHeaders(response, res, now)
  const { range } = wanted
  if (range !== undefined && status === 200 && method === 'GET' && sendPart(response, range, wanted['if-range'], res, sink)) return
  if (status !== 204 && status !== 205) res.setHeader('Content-Length', body.length)
  if (record.statusMessage === '' || res.req.httpVersionMajor > 1) sink.writeHead(status)
  else sink.writeHead(status, record.statusMessage)
  if (method === 'HEAD') sink.end()
  else sendBody(sink, body)
}

function sendPart({ record, body }: StoredResponse, field: string, ifRange: string | string[] | undefined, res: ServerResponse, sink: Sink): boolean {
  if (typeof ifRange === 'string' && !isSameVersion(ifRange, record.headers)) return false
  const range = rangeOf(field, body.length)
  if (range === 'all') return false
  if (range === 'unsatisfiable') {
    res.setHeader('Content-Range', `bytes */${body.length}`)
    res.setHeader('Content-Length', 0)
    sink.writeHead(416)
    sink.end()
    return true
  }
  const part = body.subarray(range.first, range.last + 1)
  // Whoever compresses bodies on their way would take the part for a whole.
  if (Object.hasOwn(res, 'write')) res.setHeader('Cache-Control', [res.getHeader('cache-control') ?? [], 'no-transform'].flat().join(', '))
  res.setHeader('Content-Range', `bytes ${range.first}-${range.last}/${body.length}`)
  res.setHeader('Content-Length', part.length)
  sink.writeHead(206)
  sink.end(part)
  return true
}

function setHeaders(response: StoredResponse, res: ServerResponse, now: number, takes?: (name: string) => boolean): void {
  const { headers } = response.record
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (takes !== undefined && !takes(name)) continue
    let value: string | string[] = headers[i + 1] as string
    while (headers[i + 2] === name) {
      value = [value, headers[i + 3] as string].flat()
      i += 2
    }
    res.setHeader(name, name === 'vary' ? withThoseBefore(res, value) : value)
  }
  res.setHeader('Age', Math.floor(response.ageMs(now) / 1000))
}

/** What middleware in front of us has set varies too. */
function withThoseBefore(res: ServerResponse, stored: string | string[]): string | string[] {
  const before = res.getHeader('vary')
  if (before === undefined) return stored
  const names = [before, stored].flat(2).flatMap((value) => String(value).split(',').map((name) => name.trim()))
  return [...new Map(names.map((name) => [name.toLowerCase(), name])).values()].join(', ')
}
