import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgumentError, TestServerError } from '../../errors/index.js'
import { makeCertificates, type Certificates } from './certificates.js'
import { startChild, type Child } from './child.js'
import { needRedisServer } from './executable.js'
import { PlainClient, type CommandArgument, type CommandReply } from './plain-client.js'
import { reservePort, type ReservedPort } from './ports.js'
import { entrustPrivateFolder, makePrivateFolder, reclaimPrivateFolder, removePrivateFolder } from './private-folders.js'
import { GivenUp, until } from './until.js'

export interface RedisServerOptions {
  /** The file of a Redis or Valkey server. Default the `redis-server` on PATH, or else the `valkey-server`. */
  readonly executable?: string
  /** Of the default user. Default none. */
  readonly password?: string
  /** `true` for certificates made on the spot, or certificates. Default no TLS. */
  readonly tls?: boolean | Certificates
  /** What it begins with: what `dump()` of this or another server gave. Default nothing. */
  readonly dump?: Uint8Array
  /** More arguments of the server, such as `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[]
}

export interface FillUpOptions {
  /** What Redis may push out. Default `'noeviction'`: nothing, and every command that needs memory is refused. */
  readonly policy?: string
  /** Default so little that it is full at once; with a policy that lets something be pushed out, what it uses now. */
  readonly maxBytes?: number
}

const STARTING_MS = 30_000
const FOLLOWING_MS = 30_000
const ATTEMPTS = 3
const LINES_OF_OUTPUT = 5

/**
 * Starts a Redis of its own: on a free port of the loopback interface, in a folder of its own, keeping nothing. It ends when this process ends, however that
 * ends, and takes its folder along.
 *
 * @throws {MissingProgramError} when there is no Redis server to start; the message says how to get one.
 * @throws {TestServerError} when it does not start; the message holds the server's own words.
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const executable = needRedisServer(options.executable)
  const certificates = options.tls === true ? await makeCertificates() : options.tls === false ? undefined : options.tls
  for (let attempt = 1; ; attempt++) {
    const ports = { plain: await reservePort(), tls: certificates === undefined ? undefined : await reservePort() }
    const server = new RedisServer(executable, ports, certificates, options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      // Somebody else may have taken the port in between.
      if (attempt === ATTEMPTS) throw error
    }
  }
}

export class RedisServer {
  /** The one that `url` names. */
  readonly port: number
  /** One without TLS, which is there in any case: for `cli` and for replicas. */
  readonly plainPort: number
  /** Those of TLS, and `undefined` without. */
  readonly certificates: Certificates | undefined
  readonly #ports: { readonly plain: ReservedPort; readonly tls: ReservedPort | undefined }
  readonly #executable: string
  readonly #args: readonly string[]
  readonly #folder = makePrivateFolder('tiercel-redis-')
  #password: string | undefined
  #child: Child | undefined
  #client: PlainClient | undefined
  #beforeFillUp: readonly string[] | undefined

  constructor(executable: string, ports: { plain: ReservedPort; tls: ReservedPort | undefined }, certificates: Certificates | undefined, options: RedisServerOptions) {
    this.#ports = ports
    this.port = (ports.tls ?? ports.plain).port
    this.plainPort = ports.plain.port
    this.certificates = certificates
    this.#executable = executable
    this.#password = options.password
    this.#args = [...(certificates === undefined ? [] : this.#tlsArgs(certificates)), ...(options.args ?? [])]
    if (options.dump !== undefined) this.#writeDump(options.dump)
  }

  /** For the default user, with the password if there is one. */
  get url(): string {
    return this.#urlOf('', this.#password)
  }

  /** Of the process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it again after `kill`, on the same port, with what it last saved. */
  async start(): Promise<void> {
    if (this.#child?.hasEnded() === false) throw new TestServerError('the server is running')
    // One that ended by itself is still looked after.
    await this.kill()
    const secured = this.#password === undefined ? [] : ['--requirepass', this.#password]
    const fixed = ['--port', this.plainPort, '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no', '--logfile', '', '--loglevel', 'warning']
    // A replica counts in a cluster once it has heard anything, and what a quiet primary says is a ping now and then.
    const replication = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']
    const child = await startChild(this.#executable, [...fixed.map(String), ...replication, ...secured, ...this.#args], this.#folder)
    this.#child = child
    entrustPrivateFolder(this.#folder)
    await until('the server does not answer', STARTING_MS, async () => {
      if (child.hasEnded()) throw new GivenUp(this.#words())
      await this.cli('PING')
      // Another server that had this port would answer as well.
      const pid = /process_id:(\d+)/.exec(String(await this.cli('INFO', 'server')))?.[1]
      if (Number(pid) !== child.pid) throw new GivenUp(`port ${this.plainPort} is another server's`)
      return true
    })
  }

  /** As a crash: nothing is saved, connections break. */
  async kill(): Promise<void> {
    this.#client?.close()
    this.#client = undefined
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    await child.kill()
    reclaimPrivateFolder(this.#folder)
  }

  /** Stops the process in the middle of what it does: connections stay open, and connecting works, but nothing answers, nor does `cli`. */
  pause(): void {
    this.#child?.signal('SIGSTOP')
  }

  resume(): void {
    this.#child?.signal('SIGCONT')
  }

  /**
   * Kills it and starts it again, on the same port and with the same arguments. A role that `follow` gave it is forgotten.
   *
   * @param data Default `'nothing'`. `'everything'` is saved just before; bytes are what `dump()` gave earlier: a server that comes back with an old backup.
   */
  async restart(data: 'nothing' | 'everything' | Uint8Array = 'nothing'): Promise<void> {
    const dump = data === 'everything' ? await this.dump() : data
    await this.kill()
    for (const name of ['dump.rdb', 'appendonlydir']) rmSync(join(this.#folder, name), { recursive: true, force: true })
    if (dump !== 'nothing') this.#writeDump(dump)
    await this.start()
  }

  /** All that it holds now, for a later `restart` or another server's option `dump`. */
  async dump(): Promise<Uint8Array> {
    await this.cli('SAVE')
    return readFileSync(join(this.#folder, 'dump.rdb'))
  }

  /** Fills it up, in the sense of `maxmemory`, until `drain`. */
  async fillUp({ policy = 'noeviction', maxBytes }: FillUpOptions = {}): Promise<void> {
    this.#beforeFillUp ??= ((await this.cli('CONFIG', 'GET', 'maxmemory*')) as string[]).map(String)
    const usedNow = Number(/used_memory:(\d+)/.exec(String(await this.cli('INFO', 'memory')))?.[1])
    await this.cli('CONFIG', 'SET', 'maxmemory-policy', policy)
    await this.cli('CONFIG', 'SET', 'maxmemory', maxBytes ?? (policy === 'noeviction' ? 1 : usedNow))
  }

  /** Takes `fillUp` back. */
  async drain(): Promise<void> {
    const [before = [], names] = [this.#beforeFillUp, ['maxmemory', 'maxmemory-policy']]
    this.#beforeFillUp = undefined
    for (const name of names) {
      const value = before[before.indexOf(name) + 1]
      if (before.includes(name) && value !== undefined) await this.cli('CONFIG', 'SET', name, value)
    }
  }

  /** Makes it a replica, also one that was a primary until now, and waits until it has all that its primary has. */
  async follow(primary: RedisServer): Promise<void> {
    await this.cli('CONFIG', 'SET', 'masterauth', primary.#password ?? '')
    await this.cli('REPLICAOF', '127.0.0.1', primary.plainPort)
    await until('the replica has not caught up', FOLLOWING_MS, async () => /master_link_status:up/.test(String(await this.cli('INFO', 'replication'))))
  }

  /** Makes a replica a primary: the first half of a failover. The second is that the other one follows it. */
  async promote(): Promise<void> {
    await this.cli('REPLICAOF', 'NO', 'ONE')
  }

  /**
   * Adds a user, or gives it other rules.
   *
   * @param rules Of its ACL, such as `['~app:*', '&app:*', '+get']`. Default everything is allowed. It is lost in a restart.
   * @returns The URL to connect with.
   */
  async addUser(name: string, password: string, rules: readonly string[] = ['~*', '&*', '+@all']): Promise<string> {
    await this.cli('ACL', 'SETUSER', name, 'reset', 'on', `>${password}`, ...rules)
    return this.#urlOf(name, password)
  }

  /** Changes the default user's password. Connections that are open stay so; who knows only the old one is refused from now on. */
  async setPassword(password: string): Promise<void> {
    await this.cli('CONFIG', 'SET', 'requirepass', password)
    this.#password = password
  }

  /**
   * One command, over a connection of its own. Bulk strings of the reply are taken for UTF-8. It waits for as long as the server is paused.
   *
   * @throws {TestServerError} with the text of an error reply.
   */
  async cli(...command: readonly CommandArgument[]): Promise<CommandReply> {
    if (this.#child === undefined) throw new TestServerError('the server is not running')
    if (this.#client?.hasFailed !== false) {
      const client = new PlainClient(this.plainPort)
      this.#client = client
      if (this.#password !== undefined) await client.authenticate(this.#password)
    }
    return await this.#client.send(command)
  }

  /** Kills it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill()
    removePrivateFolder(this.#folder)
    for (const reserved of [this.#ports.plain, this.#ports.tls]) reserved?.giveBack()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #urlOf(user: string, password: string | undefined): string {
    const credentials = password === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
    return `${this.certificates === undefined ? 'redis' : 'rediss'}://${credentials}127.0.0.1:${this.port}`
  }

  #tlsArgs({ ca, certificate, key }: Certificates): string[] {
    const file = (name: string, text: string) => {
      writeFileSync(join(this.#folder, name), text, { mode: 0o600 })
      return join(this.#folder, name)
    }
    const files = ['--tls-ca-cert-file', file('ca.crt', ca), '--tls-cert-file', file('crt', certificate), '--tls-key-file', file('key', key)]
    return ['--tls-port', String(this.port), '--tls-auth-clients', 'no', ...files]
  }

  #writeDump(dump: Uint8Array): void {
    if (!(dump instanceof Uint8Array)) throw new InvalidArgumentError('a dump is what dump() gave')
    writeFileSync(join(this.#folder, 'dump.rdb'), dump)
  }

  /** The last lines of what it printed, which may quote its arguments. */
  #words(): string {
    const lines = readFileSync(join(this.#folder, 'output'), 'utf8').trim().split('\n').slice(-LINES_OF_OUTPUT).join('\n  ')
    const said = this.#password === undefined ? lines : lines.replaceAll(this.#password, '***')
    return `the server did not start. It said:\n  ${said}`
  }
}
