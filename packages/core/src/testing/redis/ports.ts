import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { TestServerError } from '../../errors/index.js'

// Below the ports that systems give to outgoing connections: one of those could take the port of a server while that is
// down, or, on the way to it, connect to itself. The port of a cluster's bus, 10,000 higher, is below them as well.
const FIRST = 12_000
const COUNT = 10_000
const BUS = 10_000
const ATTEMPTS = 200
const LOOPBACK = '127.0.0.1'
/** Another address of this machine only. Whoever listens there keeps the port of the same number, also while nobody listens on that, and no longer than the process lives. */
const RESERVING = process.platform === 'linux' ? '127.0.0.2' : '::1'

/** A port that no other server or proxy of these tools takes, in whatever process, until it is given back. */
export interface ReservedPort {
  readonly port: number
  giveBack(): void
}

/** A loopback port that was free a moment ago, and so was the one for a cluster's bus. */
export async function reservePort(): Promise<ReservedPort> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    const reservation = createServer((socket) => socket.destroy()).unref()
    // Where there is no such address, nothing is reserved.
    if ((await listen(reservation, port, RESERVING)) === 'EADDRINUSE') continue
    if ((await isFree(port)) && (await isFree(port + BUS))) return { port, giveBack: () => void reservation.close() }
    reservation.close()
  }
  throw new TestServerError('no port is free on the loopback interface')
}

/** Lets a server listen on a port of the loopback interface. */
export async function listenOn(server: Server, port: number): Promise<void> {
  if ((await listen(server, port, LOOPBACK)) !== undefined) throw new TestServerError(`port ${port} has been taken by somebody else`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  if ((await listen(server, port, LOOPBACK)) !== undefined) return false
  await once(server.close(), 'close')
  return true
}

/** The code of what prevented it, if something did. */
async function listen(server: Server, port: number, host: string): Promise<string | undefined> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return undefined
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}
