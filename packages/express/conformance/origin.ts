import { createServer, type Server } from 'node:http'
import handleConfig from 'http-cache-tests/server/handle-config.mjs'
import handleState from 'http-cache-tests/server/handle-state.mjs'
import handleTest from 'http-cache-tests/server/handle-test.mjs'

const handlers = new Map([
  ['config', handleConfig],
  ['state', handleState],
  ['test', handleTest],
])

/** The suite's own origin, which gives the responses each test says, and remembers the requests that reached it. */
export function createOrigin(): Server {
  return createServer((request, response) => {
    const [, first = '', ...rest] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/')
    const handler = handlers.get(first)
    if (handler !== undefined) return handler(rest, request, response)
    response.statusCode = 404
    return response.end()
  })
}
