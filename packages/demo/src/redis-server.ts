import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

// The shell reads from a pipe that breaks however this process ends, killed included, and then takes the server and its
// folder along. It keeps no hold on the output, so that the end of that is the end of the server.
const untilThePipeBreaks = '"$@" </dev/null & server=$!; echo "pid $server"; exec >/dev/null; read -r _; kill -9 $server; wait; rm -rf -- "$FOLDER"'

const longestStart = 5_000

/** A Redis that only the demo uses: on a free port of the loopback interface, keeping nothing, gone with the demo. */
export class RedisServer {
  readonly url: string
  readonly #shell: ChildProcess
  readonly #pid: number

  private constructor(port: number, shell: ChildProcess, pid: number) {
    this.url = `redis://127.0.0.1:${port}`
    this.#shell = shell
    this.#pid = pid
  }

  /** What there is to start: the name and version of the first Redis or Valkey on PATH that runs. */
  static find(): { command: string; name: string } | undefined {
    for (const command of ['redis-server', 'valkey-server']) {
      const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: longestStart })
      const version = /v=(\S+)/.exec(stdout ?? '')?.[1]
      if (status === 0 && version) return { command, name: `${command.startsWith('valkey') ? 'Valkey' : 'Redis'} ${version}` }
    }
    return undefined
  }

  static async start(command: string): Promise<RedisServer> {
    // Between finding a free port and taking it, somebody else can take it.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const server = await RedisServer.#startAt(await freePort(), command)
      if (server) return server
    }
    throw new Error(`${command} is there, and does not start`)
  }

  static async #startAt(port: number, command: string): Promise<RedisServer | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'tiercel-demo-'))
    const settings = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no', loglevel: 'notice', logfile: '' }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
    const shell = spawn('/bin/sh', ['-c', untilThePipeBreaks, 'sh', command, ...args], {
      // In a group of its own: Ctrl-C reaches the whole group of the demo, which needs Redis for a clean end.
      detached: true,
      env: { ...process.env, FOLDER: folder },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    shell.stdin.on('error', () => {})
    const output = createInterface({ input: shell.stdout })
    let pid = NaN
    const isReady = await new Promise<boolean>((resolve, reject) => {
      setTimeout(() => resolve(false), longestStart).unref()
      shell.once('error', reject)
      output.once('close', () => resolve(false))
      // Listened to for as long as the server runs, or its output would fill the pipe and hold it up.
      output.on('line', (line) => {
        pid = Number(/^pid (\d+)$/.exec(line)?.[1] ?? pid)
        if (line.includes('Ready to accept connections')) resolve(true)
      })
    })
    const server = new RedisServer(port, shell, pid)
    if (isReady) return server
    await server.close()
    return undefined
  }

  /** Stops the process in the middle of what it does: connections stay open, and nothing answers. */
  freeze(): void {
    process.kill(this.#pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.#pid, 'SIGCONT')
  }

  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return
    const ended = once(this.#shell, 'exit')
    this.#shell.stdin?.end()
    await ended
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
