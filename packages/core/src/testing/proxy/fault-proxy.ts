import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { InvalidArgumentError } from '../../errors/index.js'
import { listenOn, reservePort, type ReservedPort } from '../redis/ports.js'
import { FaultSettings, type ProxyCounts } from './fault-settings.js'
import { Faults } from './faults.js'
import { ProxyConnection } from './proxy-connection.js'

/** A port of the loopback interface; a URL or an object with host and port, such as a server that `startRedis` started. */
export type ProxyTarget = number | string | { readonly port: number; readonly host?: string; readonly url?: string }

/**
 * Starts a proxy on the loopback interface in front of Redis, or of any other server that talks TCP, that fails as networks do.
 *
 * What passes stays strictly in order, in each direction of each connection: a proxy that reorders makes clients look broken that are not.
 */
export async function startProxy(target: ProxyTarget): Promise<FaultProxy> {
  const proxy = new FaultProxy(target)
  await proxy.heal()
  return proxy
}

export class FaultProxy extends Faults {
  readonly #settings: FaultSettings
  readonly #open = new Set<ProxyConnection>()
  #target: Target
  /** Also while it refuses. */
  #reserved: ReservedPort | undefined
  #server: Server | undefined

  constructor(target: ProxyTarget) {
    const settings = new FaultSettings()
    super(settings)
    this.#settings = settings
    this.#target = resolve(target)
  }

  /** On the loopback interface. */
  get port(): number {
    return this.#reserved?.port ?? 0
  }

  /** As the URL of the target, with the proxy's host and port. */
  get url(): string {
    const url = new URL(this.#target.url)
    url.hostname = '127.0.0.1'
    url.port = String(this.port)
    return url.href.replace(/\/$/, '')
  }

  /** Those that at least one side takes for open, oldest first. */
  get connections(): readonly ProxyConnection[] {
    return [...this.#open]
  }

  /** Since the start, of all connections. */
  get counts(): Readonly<ProxyCounts> {
    return this.#settings.counts
  }

  /** New connections are refused. Those that are open stay so. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  reset(): void {
    for (const connection of this.#open) connection.reset()
  }

  /** New connections lead to another server from now on, as after a failover. Those that are open stay where they are. */
  redirect(target: ProxyTarget): void {
    this.#target = resolve(target)
  }

  /** Takes back whatever was done, also to single connections, and accepts connections again. */
  override async heal(): Promise<void> {
    super.heal()
    for (const connection of this.#open) connection.heal()
    if (this.#server === undefined) await this.#listen()
  }

  /** Breaks what is open and ends. */
  async stop(): Promise<void> {
    const server = this.#server
    this.refuse()
    this.reset()
    if (server !== undefined) await once(server, 'close')
    this.#reserved?.giveBack()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #listen(): Promise<void> {
    // A side that has ended may still be sent what is under way.
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.#accept(client))
    server.unref()
    server.on('error', () => {})
    this.#server = server
    try {
      this.#reserved ??= await reservePort()
      await listenOn(server, this.#reserved.port)
    } catch (error) {
      this.#server = undefined
      throw error
    }
  }

  #accept(client: Socket): void {
    const { host, port } = this.#target
    const server = connect({ port, host, noDelay: true, allowHalfOpen: true })
    const connection: ProxyConnection = new ProxyConnection(client, server, this.#settings, () => this.#open.delete(connection))
    this.#open.add(connection)
  }
}

interface Target {
  readonly host: string
  readonly port: number
  readonly url: string
}

function resolve(target: ProxyTarget): Target {
  if (typeof target === 'string') {
    const { hostname = '', port = '', protocol = '' } = URL.canParse(target) ? new URL(target) : {}
    const usual = /^rediss?:$/.test(protocol) ? 6379 : NaN
    return checked({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? usual : Number(port), url: target })
  }
  const { port, host = '127.0.0.1', url = `redis://127.0.0.1:${port}` } = typeof target === 'number' ? { port: target } : target
  return checked({ host, port, url })
}

function checked(target: Target): Target {
  const { host, port } = target
  if (host !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return target
  throw new InvalidArgumentError('the target of a proxy is a port, a URL with a port such as redis://localhost:6379, or { host, port }')
}
