import { InvalidOptionError, MissingPeerError } from '@tiercel/core'
import type { Backend } from '../backend/backend.js'
import { type BackendChoice, chooseBackend } from '../backend/choice.js'
import { LinkClient } from './link-client.js'
import { StreamClient } from './stream-client.js'

/** What is needed of a server of Socket.IO. */
export interface SocketIoServer {
  adapter(adapter: never): unknown
}

export interface SocketIoOptions {
  /**
   * By which of Socket.IO's adapters, which has to be installed. `'pubsub'`: `@socket.io/redis-adapter`; what is sent while a server has lost Redis does not reach its
   * clients. `'streams'`: `@socket.io/redis-streams-adapter`; it does as soon as the server is back, in order, and `connectionStateRecovery` works. All servers use the
   * same one. Default `'pubsub'`.
   */
  readonly adapter?: 'pubsub' | 'streams'
}

export interface SocketIoConnection {
  /** Whether others hear of what is sent here, when Redis is there. */
  readonly isShared: boolean
  /** Ends the connections it has opened. To be called after the server's own `close`. */
  close(): Promise<void>
}

interface Wired {
  readonly adapter: unknown
  readonly client: LinkClient
}

/**
 * Has the servers of Socket.IO of all processes act as one, through one of its own adapters. Without a configured Redis, and while it is away, each serves its own
 * clients.
 *
 * @throws {MissingPeerError} @throws {RedisRefusedError} for a user who may not hear its channels; @throws {InvalidOptionError} @throws {InvalidEnvironmentError}
 * @example
 * const io = new Server(httpServer)
 * await connectSocketIo(io)
 */
export async function connectSocketIo(io: SocketIoServer, { adapter = 'pubsub', ...choice }: SocketIoOptions & BackendChoice = {}): Promise<SocketIoConnection> {
  if (!Object.hasOwn(wiring, adapter)) throw new InvalidOptionError(`adapter must be 'pubsub' or 'streams'`)
  const { backend, close } = chooseBackend(choice)
  const wired = await wiring[adapter](backend)
  if (wired === undefined) return { isShared: false, close }
  const end = async () => {
    await wired.client.close()
    await close()
  }
  io.adapter(wired.adapter as never)
  try {
    await wired.client.subscribed()
  } catch (error) {
    await end()
    throw error
  }
  return { isShared: true, close: end }
}

const wiring = {
  async pubsub({ link, prefix }: Backend): Promise<Wired | undefined> {
    if (link === undefined) return undefined
    const { createAdapter } = await import('@socket.io/redis-adapter').catch(missing('@socket.io/redis-adapter'))
    const client = new LinkClient(link)
    return { client, adapter: createAdapter(client, client, { key: `${prefix}socket.io` }) }
  },
  async streams({ link, prefix, openAnother }: Backend): Promise<Wired | undefined> {
    if (link === undefined || openAnother === undefined) return undefined
    const { createAdapter } = await import('@socket.io/redis-streams-adapter').catch(missing('@socket.io/redis-streams-adapter'))
    const name = `${prefix}socket.io`
    const client = new StreamClient(link, openAnother())
    await client.begin(name)
    return { client, adapter: createAdapter(client, { streamName: name, channelPrefix: name, sessionKeyPrefix: `${name}-session:` }) }
  },
}

function missing(name: string): () => never {
  return () => {
    throw new MissingPeerError(`Socket.IO across processes needs an adapter that cannot be loaded: npm install ${name}`)
  }
}
