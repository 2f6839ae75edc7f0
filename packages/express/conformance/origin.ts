import { createServer, type Server } from 'node:http'
import type { OriginHandler } from './suite.js'

/** The suite's own origin, which gives the responses each test says, and remembers the requests that reached it. */
export function createOrigin(handlers: ReadonlyMap<string, OriginHandler>): Server {
  return createServer((request, response) => {
    const [, first = '', ...rest] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/')
    const handler = handlers.get(first)
    if (handler !== undefined) return handler(rest, request, response)
    response.statusCode = 404
    return response.end()
  })
}
