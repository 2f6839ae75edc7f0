import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A visitor with a WebSocket, who notes what comes and when. */
export class SocketClient<Message extends object = object> {
  readonly received: { readonly at: number; readonly message: Message }[] = []
  readonly #socket: WebSocket

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data) => this.received.push({ at: performance.now(), message: JSON.parse(String(data)) as Message }))
  }

  static async open<Message extends object>(origin: string, path: string): Promise<SocketClient<Message>> {
    const socket = new WebSocket(origin.replace('http', 'ws') + path)
    const client = new SocketClient<Message>(socket)
    await once(socket, 'open')
    return client
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message))
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}
