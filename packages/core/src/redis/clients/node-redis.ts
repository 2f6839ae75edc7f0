import { nameOf, type Address } from './address.js'
import type { NodeRedisClient, NodeRedisCluster } from './detection.js'
import type { Argument, Reply } from './reply.js'
import type { Server } from './target.js'
import type { ChannelName, Dialer, Wire } from './wire.js'

type Listener = (message: Buffer, channel: Buffer) => void

/** The part of a node-redis client that is used. */
interface Client {
  readonly isOpen: boolean
  on(event: string, listener: (...args: unknown[]) => void): unknown
  connect(): Promise<unknown>
  sendCommand(args: readonly Argument[]): Promise<Reply>
  subscribe(channel: string, listener: Listener, bufferMode: true): Promise<unknown>
  pSubscribe(pattern: string, listener: Listener, bufferMode: true): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  pUnsubscribe(pattern: string): Promise<unknown>
  destroy(): void
}

type Options = Readonly<Record<string, unknown>>

interface Module {
  createClient(options: Options): unknown
}

/** `RESP_TYPES.BLOB_STRING` of the package, which cannot be imported from here when only the other client is installed. */
const BLOB_STRING = 36

/** Handed in as a whole by `openConnection`; beyond what a connection lets through itself. */
const QUEUE_LENGTH = 100_000

/** As the client's own default in version 6: what the kernel does then costs the server nothing. */
const KEEP_ALIVE_MS = 5000

/** Settings every wire needs, whatever its template says. */
function settings(template: Options, connectTimeoutMs: number, signal: AbortSignal): Options {
  return {
    ...template,
    socket: {
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      ...objectOf(template.socket),
      connectTimeout: connectTimeoutMs,
      // Reaches a socket that is still connecting, which destroying the client does not.
      signal,
      // A wire is never mended, and an idle one not to be closed.
      reconnectStrategy: false,
      socketTimeout: undefined,
    },
    pingInterval: undefined,
    disableOfflineQueue: true,
    commandsQueueMaxLength: QUEUE_LENGTH,
    // A timeout of the client's would only cover commands that are not written yet, at the cost of an AbortSignal each.
    commandOptions: { timeout: undefined, typeMapping: { [BLOB_STRING]: Buffer } },
    // Version 3 has more kinds of reply, and nothing that is needed here.
    RESP: 2,
    maintNotifications: 'disabled',
    clientSideCache: undefined,
    emitInvalidate: undefined,
    keyPrefix: undefined,
    readonly: undefined,
  }
}

export function nodeRedisForServer(module: Module, server: Server, connectTimeoutMs: number): Dialer {
  const { host, port, username, password, database, tls } = server
  const options = { username, password, database, socket: { ...tls, host, port, ...(tls === undefined ? {} : { tls: true }) } }
  return {
    where: `Redis at ${nameOf(server)}`,
    dial: (lost) => new NodeRedisWire((signal) => module.createClient(settings(options, connectTimeoutMs, signal)) as Client, lost),
  }
}

export function nodeRedisFromTemplate(template: NodeRedisClient, connectTimeoutMs: number): Dialer {
  return {
    where: whereIs(objectOf(objectOf(template.options).socket)),
    // Read at every dialling: a user may have set new credentials meanwhile.
    dial: (lost) => new NodeRedisWire((signal) => duplicate(template, settings(objectOf(template.options), connectTimeoutMs, signal)) as Client, lost),
  }
}

/**
 * A cluster's template makes single nodes' clients as it would for itself, with its defaults and address map. The copy
 * that makes them is never connected: which node is asked for what is decided here, the same for both clients.
 */
export function nodeRedisFromCluster(template: NodeRedisCluster, connectTimeoutMs: number): Dialer {
  const options = objectOf(Reflect.get(template, '_options'))
  const roots = Array.isArray(options.rootNodes) ? options.rootNodes.map(rootAddress) : []
  const makeCopy = (signal: AbortSignal) =>
    duplicate(template, {
      ...options,
      defaults: settings(objectOf(options.defaults), connectTimeoutMs, signal),
      RESP: 2,
      clientSideCache: undefined,
      maintNotifications: 'disabled',
      keyPrefix: undefined,
      useReplicas: false,
    }) as { on: Client['on']; nodeClient(node: object): Promise<unknown> }
  return {
    where: 'Redis Cluster',
    roots,
    dial: (lost, address = { host: '127.0.0.1', port: 6379 }) => {
      const node: Address & { address: string; client?: Client } = { ...address, address: `${address.host}:${address.port}` }
      let connected: Promise<unknown>
      return new NodeRedisWire(
        (signal) => {
          const copy = makeCopy(signal)
          copy.on('error', lost)
          connected = copy.nodeClient(node)
          // Whoever opens the wire learns of it; nobody does if there is no client to wait for.
          connected.catch(() => {})
          if (node.client === undefined) throw new Error('no client was made')
          return node.client
        },
        lost,
        () => connected,
      )
    },
  }
}

class NodeRedisWire implements Wire {
  #client: Client | undefined
  readonly #aborted = new AbortController()
  readonly #make: (signal: AbortSignal) => Client
  readonly #lost: (reason: unknown) => void
  readonly #connect: (client: Client) => Promise<unknown>

  constructor(make: (signal: AbortSignal) => Client, lost: (reason: unknown) => void, connect: (client: Client) => Promise<unknown> = (client) => client.connect()) {
    this.#make = make
    this.#lost = lost
    this.#connect = connect
  }

  async open(): Promise<void> {
    const client = this.#make(this.#aborted.signal)
    this.#client = client
    // Without an 'error' listener the client takes the process down with it.
    client.on('error', (error) => this.#lost(error))
    client.on('end', () => this.#lost(undefined))
    await this.#connect(client)
  }

  send(args: readonly Argument[]): Promise<Reply> {
    return this.#client?.sendCommand(args) ?? Promise.reject(new Error('not open'))
  }

  async subscribe({ name, isPattern }: ChannelName, onMessage: (message: Buffer, channel: string) => void): Promise<void> {
    const listener: Listener = (message, channel) => onMessage(message, isPattern ? String(channel) : name)
    await (isPattern ? this.#client?.pSubscribe(name, listener, true) : this.#client?.subscribe(name, listener, true))
  }

  async unsubscribe({ name, isPattern }: ChannelName): Promise<void> {
    await (isPattern ? this.#client?.pUnsubscribe(name) : this.#client?.unsubscribe(name))
  }

  drop(): void {
    if (this.#client !== undefined) destroy(this.#client)
    this.#aborted.abort()
  }
}

/** Version 5 throws when it is closed already. */
function destroy(client: Client): void {
  try {
    client.destroy()
  } catch {
    // It is gone, which is what was wanted.
  }
}

function duplicate(template: object, overrides: Options): unknown {
  return (template as { duplicate(overrides: Options): unknown }).duplicate(overrides)
}

function rootAddress(root: unknown): Address {
  const { url, socket } = objectOf(root)
  if (typeof url !== 'string') {
    const { host, port } = objectOf(socket)
    return { host: typeof host === 'string' ? host : '127.0.0.1', port: typeof port === 'number' ? port : 6379 }
  }
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 6379 : Number(port) }
}

function whereIs({ host, port, path }: Options): string {
  if (typeof path === 'string') return 'Redis at a socket'
  return `Redis at ${nameOf({ host: typeof host === 'string' ? host : 'localhost', port: typeof port === 'number' ? port : 6379 })}`
}

function objectOf(value: unknown): Options {
  return typeof value === 'object' && value !== null ? (value as Options) : {}
}
