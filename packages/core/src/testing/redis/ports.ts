import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { TestServerError } from '../../errors/index.js'

// Below the ports that systems give to outgoing connections: one of those could take the port of a server while that is
// down, or, on the way to it, connect to itself. The port of a cluster's bus, 10,000 higher, is below them as well.
const FIRST = 12_000
const COUNT = 10_000
const BUS = 10_000
const ATTEMPTS = 200

/** A loopback port that was free a moment ago, and so was the one for a cluster's bus. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer()
    const bus = createServer()
    const port = await listenOnFreePort(server)
    const isFree = await listen(bus, port + BUS)
    await Promise.all([server, bus].filter(({ listening }) => listening).map((one) => once(one.close(), 'close')))
    if (isFree) return port
  }
}

/** Lets a server listen on the loopback interface: on that port, or, for 0, on one that is free. */
export async function listenOnFreePort(server: Server, port = 0): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const tried = port === 0 ? FIRST + Math.floor(Math.random() * COUNT) : port
    if (await listen(server, tried)) return tried
    if (port !== 0) break
  }
  throw new TestServerError(port === 0 ? 'no port is free on the loopback interface' : `port ${port} has been taken by somebody else`)
}

async function listen(server: Server, port: number): Promise<boolean> {
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  }
}
