import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startChild, type Child } from './child.js'
import { serverExecutable } from './executable.js'
import { freePort } from './ports.js'
import { PlainClient, type Plain } from './resp.js'

export interface RedisServerOptions {
  readonly password?: string
  /** More arguments of the server, such as `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[]
}

const STARTING_MS = 10_000

/** Starts a Redis of its own: on a free port of the loopback interface, in a folder of its own, keeping nothing. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const executable = serverExecutable()
  if (executable === undefined) throw new Error('no redis-server or valkey-server on PATH')
  for (let attempt = 1; ; attempt++) {
    const server = new RedisServer(executable, await freePort(), options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      // Somebody else may have taken the port in between.
      if (attempt === 3) throw error
    }
  }
}

export class RedisServer {
  readonly port: number
  readonly url: string
  readonly #executable: string
  readonly #options: RedisServerOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'tiercel-redis-'))
  #child: Child | undefined
  #client: PlainClient | undefined
  readonly #removeFolder = () => rmSync(this.#folder, { recursive: true, force: true })

  constructor(executable: string, port: number, options: RedisServerOptions) {
    this.port = port
    this.#executable = executable
    this.#options = options
    const credentials = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`
    this.url = `redis://${credentials}127.0.0.1:${port}`
    process.once('exit', this.#removeFolder)
  }

  async start(): Promise<void> {
    const { password, args = [] } = this.#options
    const secured = password === undefined ? [] : ['--requirepass', password]
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no']
    const child = await startChild(this.#executable, [...fixed, ...secured, ...args], this.#folder)
    this.#child = child
    const due = performance.now() + STARTING_MS
    for (;;) {
      try {
        await this.cli('PING')
        // Another server that had this port would answer as well.
        const pid = /process_id:(\d+)/.exec(String(await this.cli('INFO', 'server')))?.[1]
        if (Number(pid) !== child.pid) throw new Error(`port ${this.port} is another server's`)
        return
      } catch (error) {
        if (child.hasEnded() || performance.now() > due) throw error
        await pause(10)
      }
    }
  }

  /** As a crash: nothing is saved, connections break. */
  async kill(): Promise<void> {
    this.#client?.close()
    this.#client = undefined
    const child = this.#child
    this.#child = undefined
    await child?.kill()
  }

  /** The process is stopped: connections stay open, and connecting works, but nothing answers. */
  pause(): void {
    this.#child?.signal('SIGSTOP')
  }

  resume(): void {
    this.#child?.signal('SIGCONT')
  }

  /** Kills it and starts it again on the same port: empty, unless `empty: false`. */
  async restart({ empty = true }: { empty?: boolean } = {}): Promise<void> {
    if (!empty) await this.cli('SAVE')
    await this.kill()
    if (empty) rmSync(join(this.#folder, 'dump.rdb'), { force: true })
    await this.start()
  }

  /** One command, by a connection of its own. Rejects with the text of an error reply. */
  async cli(...args: readonly (string | number)[]): Promise<Plain> {
    if (this.#client === undefined) {
      const client = new PlainClient(this.port)
      try {
        if (this.#options.password !== undefined) await client.send('AUTH', this.#options.password)
        else await client.send('PING')
      } catch (error) {
        client.close()
        throw error
      }
      this.#client = client
    }
    return await this.#client.send(...args)
  }

  async stop(): Promise<void> {
    await this.kill()
    process.off('exit', this.#removeFolder)
    this.#removeFolder()
  }
}
