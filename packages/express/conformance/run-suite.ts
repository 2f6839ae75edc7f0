import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createOrigin } from './origin.js'
import { passThrough } from './pass-through.js'
import { score, type Score } from './score.js'
import { loadSuite } from './suite.js'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Puts a cache in front of a handler. */
export type Application = (handler: Handler) => Handler

/** What one application tells the others takes a moment to arrive. The suite gives it none, as it was made for one cache. */
const DELIVERY_MS = 100

/**
 * Runs the suite against applications whose handler passes all through to the suite's origin. The requests of a test go
 * to them in turn. The suite keeps its results in the module, so that a process can run it once.
 */
export async function runSuite(applications: readonly Application[]): Promise<Score> {
  const suite = await loadSuite()
  const origin = await listening(createOrigin(suite.handlers))
  const handlers = applications.map((application) => application(passThrough(portOf(origin))))
  // The suite numbers the requests of a test, and some twice: `1, 1`.
  const turn = (request: IncomingMessage): number => Number.parseInt(String(request.headers['req-num'] ?? 0), 10) % handlers.length
  const server = await listening(
    createServer((request, response) => {
      const handle = (): void => handlers[turn(request)]?.(request, response)
      if (handlers.length > 1) setTimeout(handle, DELIVERY_MS)
      else handle()
    }),
  )
  try {
    await suite.run(`http://127.0.0.1:${portOf(server)}`)
    return score(suite.suites, suite.results())
  } finally {
    for (const each of [server, origin]) {
      each.closeAllConnections()
      each.close()
    }
  }
}

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port
