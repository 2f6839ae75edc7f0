import { MissingPeerError } from '@tiercel/core'
import { type BackendChoice, chooseBackend } from '../backend/choice.js'
import { LinkClient } from './link-client.js'

/** What is needed of a server of Socket.IO. */
export interface SocketIoServer {
  adapter(adapter: never): unknown
}

export interface SocketIoConnection {
  /** Whether others hear of what is sent here, when Redis is there. */
  readonly isShared: boolean
  /** Ends the connection for messages. To be called after the server's own `close`. */
  close(): Promise<void>
}

/**
 * Has the servers of Socket.IO of all processes act as one, through `@socket.io/redis-adapter`, which has to be installed. Without a configured Redis, and while it is
 * away, each serves its own clients.
 *
 * @throws {MissingPeerError} @throws {InvalidOptionError} @throws {InvalidEnvironmentError}
 * @example
 * const io = new Server(httpServer)
 * await connectSocketIo(io)
 */
export async function connectSocketIo(io: SocketIoServer, choice: BackendChoice = {}): Promise<SocketIoConnection> {
  const { backend, close } = chooseBackend(choice)
  if (backend.link === undefined) return { isShared: false, close }
  const { createAdapter } = await import('@socket.io/redis-adapter').catch(() => {
    throw new MissingPeerError('Socket.IO across processes needs an adapter that cannot be loaded: npm install @socket.io/redis-adapter')
  })
  const client = new LinkClient(backend.link)
  io.adapter(createAdapter(client, client, { key: `${backend.prefix}socket.io` }) as never)
  return {
    isShared: true,
    close: () => {
      client.close()
      return close()
    },
  }
}
