import { nameOf, type Address } from './address.js'
import type { IoredisClient, IoredisCluster } from './detection.js'
import type { Argument, Reply } from './reply.js'
import type { Server } from './target.js'
import type { ChannelName, Dialer, Wire } from './wire.js'

/** The part of an ioredis client that is used. */
interface Client {
  readonly stream?: { cork?(): void; uncork?(): void; destroy?(): unknown } | null
  on(event: string, listener: (...args: never[]) => void): unknown
  connect(): Promise<unknown>
  callBuffer?(name: string, args: readonly Argument[]): Promise<Reply>
  subscribe(channel: string): Promise<unknown>
  psubscribe(pattern: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  punsubscribe(pattern: string): Promise<unknown>
  disconnect(): void
}

type Options = Readonly<Record<string, unknown>>
type Constructor = new (options: Options) => unknown

export interface IoredisModule {
  readonly Redis: Constructor
}

type Listener = (message: Buffer, channel: string) => void

/** As the other client's. */
const KEEP_ALIVE_MS = 5000

/**
 * Settings every wire needs, whatever its template says. With `maxRetriesPerRequest: 0` nothing is sent a second time:
 * without it the client repeats what was in flight when a connection broke, and may have been executed.
 */
function settings(connectTimeoutMs: number): Options {
  return {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    // It would keep the process alive that long, waiting for the end of a socket that is gone.
    disconnectTimeout: 0,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    reconnectOnError: null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableOfflineQueue: false,
    // It costs an INFO, which not every user may send; loading is found out otherwise.
    enableReadyCheck: false,
    // It holds the next batch back until the one before is answered: a round trip more. The wire has its own.
    enableAutoPipelining: false,
    commandTimeout: undefined,
    socketTimeout: undefined,
    blockingTimeout: undefined,
    keepAlive: KEEP_ALIVE_MS,
    // Version 3 has more kinds of reply, and nothing that is needed here.
    protocol: 2,
    keyPrefix: '',
    readOnly: false,
    role: 'master',
    stringNumbers: false,
    showFriendlyErrorStack: false,
    monitor: false,
    himportFieldsets: undefined,
  }
}

export function ioredisForServer(module: IoredisModule, server: Server, connectTimeoutMs: number): Dialer {
  const { host, port, username, password, database, tls } = server
  const options: Options = {
    ...settings(connectTimeoutMs),
    host,
    port,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  }
  return {
    where: `Redis at ${nameOf(server)}`,
    dial: (lost) => new IoredisWire(new module.Redis(options) as Client, lost),
  }
}

export function ioredisFromTemplate(template: IoredisClient, connectTimeoutMs: number): Dialer {
  const source = template as { duplicate(overrides: Options): unknown }
  return {
    where: whereIs(template.options as Options),
    dial: (lost) => new IoredisWire(source.duplicate(settings(connectTimeoutMs)) as Client, lost),
  }
}

/**
 * Nodes are dialled one by one, with what the cluster would give its own connections: `redisOptions` and `natMap`.
 * `dnsLookup` and SRV records are not looked at: nodes are reached by the names or addresses the cluster tells.
 */
export function ioredisFromCluster(template: IoredisCluster, load: () => Promise<IoredisModule>, connectTimeoutMs: number): Dialer {
  const { redisOptions, natMap } = template.options as Options
  const roots: unknown = Reflect.get(template, 'startupNodes')
  return {
    where: 'Redis Cluster',
    roots: Array.isArray(roots) ? roots.map(rootAddress) : [],
    dial: async (lost, address = { host: '127.0.0.1', port: 6379 }) => {
      const options = { ...objectOf(redisOptions), ...settings(connectTimeoutMs), ...mapped(address, natMap), db: 0, path: undefined, sentinels: undefined }
      const client = nodeOf(template)?.duplicate(options) ?? new (await load()).Redis(options)
      return new IoredisWire(client as Client, lost)
    },
  }
}

class IoredisWire implements Wire {
  readonly #client: Client
  readonly #lost: (reason: unknown) => void
  readonly #channels = new Map<string, Listener>()
  readonly #patterns = new Map<string, Listener>()
  #trouble: unknown
  #isLost = false
  #isCorked = false

  constructor(client: Client, lost: (reason: unknown) => void) {
    this.#client = client
    this.#lost = lost
    // From its first moment: any error is the end of a wire, even one the client would live with, such as a database that
    // does not exist (it would go on with number 0).
    client.on('error', (error: unknown) => this.#fail(error))
    client.on('close', () => this.#fail(undefined))
    client.on('end', () => this.#fail(undefined))
    client.on('messageBuffer', (channel: unknown, message: Buffer) => {
      const name = String(channel)
      this.#channels.get(name)?.(message, name)
    })
    client.on('pmessageBuffer', (pattern: unknown, channel: unknown, message: Buffer) => this.#patterns.get(String(pattern))?.(message, String(channel)))
  }

  async open(): Promise<void> {
    try {
      await this.#client.connect()
    } catch (error) {
      // It only says that the connection was closed; why, it told before.
      throw this.#trouble ?? error
    }
    if (this.#isLost) throw this.#trouble ?? new Error('closed')
  }

  send(args: readonly Argument[]): Promise<Reply> {
    const client = this.#client
    const command = String(args[0])
    const rest = args.slice(1)
    const reply = client.callBuffer === undefined ? named(client, command, rest) : client.callBuffer(command, rest)
    this.#cork()
    return STATUS_COMMANDS.has(command.toUpperCase()) ? reply.then((given) => withStatus(command, rest, given)) : reply
  }

  async subscribe({ name, isPattern }: ChannelName, onMessage: Listener): Promise<void> {
    ;(isPattern ? this.#patterns : this.#channels).set(name, onMessage)
    await (isPattern ? this.#client.psubscribe(name) : this.#client.subscribe(name))
  }

  async unsubscribe({ name, isPattern }: ChannelName): Promise<void> {
    await (isPattern ? this.#client.punsubscribe(name) : this.#client.unsubscribe(name))
  }

  drop(): void {
    this.#client.disconnect()
    this.#client.stream?.destroy?.()
  }

  /** The first command of a tick leaves at once, for it is nearly always the only one. What follows leaves in one piece, at the end of the tick. */
  #cork(): void {
    const { stream } = this.#client
    if (this.#isCorked || stream?.cork === undefined) return
    this.#isCorked = true
    stream.cork()
    process.nextTick(this.#uncork, stream)
  }

  readonly #uncork = (stream: { uncork?(): void }): void => {
    this.#isCorked = false
    stream.uncork?.()
  }

  #fail(error: unknown): void {
    this.#trouble ??= error
    this.#isLost = true
    this.#lost(this.#trouble)
  }
}

/** Commands whose reply is a simple string. The client gives it as it gives a bulk string, and has thrown the difference away. */
const STATUS_COMMANDS = new Set(['SET', 'PING', 'MSET', 'SETEX', 'PSETEX', 'ASKING', 'SELECT', 'FLUSHALL', 'FLUSHDB', 'TYPE', 'RENAME', 'CONFIG', 'CLIENT', 'HMSET', 'LSET', 'LTRIM', 'SCRIPT'])

function withStatus(command: string, args: readonly Argument[], reply: Reply): Reply {
  if (!Buffer.isBuffer(reply)) return reply
  const name = command.toUpperCase()
  if (name === 'SCRIPT') return String(args[0]).toUpperCase() === 'LOAD' ? reply : reply.toString()
  // With GET it answers with the old value, and CLIENT LIST and INFO with a text.
  if (name === 'SET' && args.slice(2).some((argument) => typeof argument === 'string' && argument.toUpperCase() === 'GET')) return reply
  if (name === 'CLIENT' && reply.length > 2) return reply
  return reply.toString()
}

/** A mock has methods of commands' names only. */
function named(client: Client, command: string, args: readonly Argument[]): Promise<Reply> {
  for (const name of [`${command.toLowerCase()}Buffer`, command.toLowerCase()]) {
    const method: unknown = Reflect.get(client, name)
    if (typeof method === 'function') return Promise.resolve(Reflect.apply(method, client, args) as Promise<Reply>)
  }
  return Promise.reject(new Error(`ERR unknown command`))
}

/** One of a cluster's own connections, if it has any: it comes from the same copy of the package. */
function nodeOf(template: IoredisCluster): { duplicate(options: Options): unknown } | undefined {
  const nodes: unknown = (template as { nodes(): unknown }).nodes()
  return Array.isArray(nodes) ? (nodes[0] as { duplicate(options: Options): unknown } | undefined) : undefined
}

function mapped(address: Address, natMap: unknown): Address {
  const name = `${address.host}:${address.port}`
  const found: unknown = typeof natMap === 'function' ? natMap(name) : objectOf(natMap)[name]
  const { host, port } = objectOf(found)
  return typeof host === 'string' && typeof port === 'number' ? { host, port } : { host: address.host, port: address.port }
}

function rootAddress(root: unknown): Address {
  if (typeof root === 'number') return { host: '127.0.0.1', port: root }
  if (typeof root === 'string') {
    const { hostname, port } = new URL(root.includes('://') ? root : `redis://${root}`)
    return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 6379 : Number(port) }
  }
  const { host, port } = objectOf(root)
  return { host: typeof host === 'string' ? host : '127.0.0.1', port: Number(port ?? 6379) }
}

function whereIs({ host, port, path, sentinels }: Options): string {
  if (Array.isArray(sentinels) && sentinels.length > 0) return 'Redis behind Sentinels'
  if (typeof path === 'string') return 'Redis at a socket'
  return `Redis at ${nameOf({ host: typeof host === 'string' ? host : 'localhost', port: typeof port === 'number' ? port : 6379 })}`
}

function objectOf(value: unknown): Options {
  return typeof value === 'object' && value !== null ? (value as Options) : {}
}
