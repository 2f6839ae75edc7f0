import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WebSockets } from './web-sockets.js'

/** A service that listens on the loopback interface. */
export class RunningServer {
  readonly origin: string
  readonly #server: Server
  readonly #sockets: WebSockets | undefined
  #open = 0
  #awaited: { count: number; arrived: () => void } | undefined

  private constructor(server: Server, sockets: WebSockets | undefined) {
    this.#server = server
    this.#sockets = sockets
    if (sockets) server.on('upgrade', sockets.upgrade)
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    // After the service's own listener, so that a request counts as arrived once its handler has been called.
    server.on('request', (_request, response) => {
      this.#open += 1
      response.once('close', () => {
        this.#open -= 1
      })
      if (this.#awaited && this.#open >= this.#awaited.count) this.#awaited.arrived()
    })
  }

  /** Starts to listen; port 0 takes any that is free. */
  static async start(service: RequestListener, port = 0, sockets?: WebSockets): Promise<RunningServer> {
    const server = createServer(service)
    // Longer than any show: a visitor who sends just when an idle connection is closed gets an error instead of an answer.
    server.keepAliveTimeout = 60_000
    // The default of 511 waiting connections would turn some of a thousand simultaneous ones away for a second.
    server.listen({ port, host: '127.0.0.1', backlog: 4096 })
    await once(server, 'listening')
    return new RunningServer(server, sockets)
  }

  /** How many requests are being answered at this moment. */
  get open(): number {
    return this.#open
  }

  /** Resolves when that many requests are being answered at the same moment. */
  atOnce(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { count, arrived: resolve }
    })
  }

  /** Answers what has begun, for three seconds at most, then closes. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#sockets?.close()
    const late = setTimeout(() => this.#server.closeAllConnections(), 3_000)
    await closed
    clearTimeout(late)
  }
}
