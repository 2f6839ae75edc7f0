import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'

const MOST_BYTES_OF_A_MESSAGE = 16 * 1024

/** WebSockets beside the routes of a service, by path. */
export class WebSockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MOST_BYTES_OF_A_MESSAGE })
  readonly #welcomes: Readonly<Record<string, (socket: WebSocket) => void>>

  constructor(welcomes: Readonly<Record<string, (socket: WebSocket) => void>>) {
    this.#welcomes = welcomes
  }

  /** For the event `upgrade` of a server. */
  readonly upgrade = (request: IncomingMessage, connection: Duplex, head: Buffer): void => {
    const welcome = this.#welcomes[request.url ?? '']
    if (welcome === undefined) return void connection.destroy()
    this.#server.handleUpgrade(request, connection, head, (socket) => {
      // What breaks a socket also closes it, and that is looked at.
      socket.on('error', () => {})
      welcome(socket)
    })
  }

  /** A server does not count them among its connections, and would wait for them. */
  close(): void {
    for (const socket of this.#server.clients) socket.terminate()
  }
}

/** What a socket has sent, if it is an object. */
export function readMessage(data: RawData): Readonly<Record<string, unknown>> {
  try {
    const message: unknown = JSON.parse(String(data))
    return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
