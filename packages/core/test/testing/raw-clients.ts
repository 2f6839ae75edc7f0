import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** A client as it comes, but for connecting anew and sending again: what happens to its one connection is to be seen. */
export interface RawClient {
  send(...command: readonly string[]): Promise<unknown>
  /** Resolves once the client has noticed that its connection is gone. */
  readonly lost: Promise<void>
  close(): void
}

interface NodeRedis {
  on(event: string, listener: () => void): void
  connect(): Promise<unknown>
  sendCommand(command: readonly string[]): Promise<unknown>
  destroy(): void
}

interface Ioredis {
  on(event: string, listener: () => void): void
  connect(): Promise<unknown>
  call(...command: readonly string[]): Promise<unknown>
  disconnect(): void
}

export const rawClients = [
  { name: 'node-redis 6', connect: connectNodeRedis },
  { name: 'ioredis 6', connect: connectIoredis },
] as const

async function connectNodeRedis(url: string, ca?: string): Promise<RawClient> {
  const { createClient } = require('redis') as { createClient(options: object): NodeRedis }
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: false, ...(ca === undefined ? {} : { tls: true, ca }) } })
  // Without a reconnection this client says that it has ended by an error only.
  const lost = new Promise<void>((resolve) => {
    for (const event of ['error', 'end']) client.on(event, () => resolve())
  })
  await client.connect()
  return {
    send: (...command) => client.sendCommand(command),
    lost,
    close() {
      try {
        client.destroy()
      } catch {
        // It is closed already, which is what is wanted.
      }
    },
  }
}

async function connectIoredis(url: string, ca?: string): Promise<RawClient> {
  const { Redis } = require('ioredis') as { Redis: new (url: string, options: object) => Ioredis }
  const options = { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0, enableOfflineQueue: false }
  const client = new Redis(url, { ...options, ...(ca === undefined ? {} : { tls: { ca } }) })
  client.on('error', () => {})
  const lost = new Promise<void>((resolve) => {
    client.on('close', () => resolve())
  })
  await client.connect()
  return { send: (...command) => client.call(...command), lost, close: () => client.disconnect() }
}
