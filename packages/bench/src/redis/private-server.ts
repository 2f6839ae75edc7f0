import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface PrivateServer {
  readonly url: string
  stop(): Promise<void>
}

// The shell waits at the other end of a pipe, so that the server ends with this process however this one ends.
const WATCHED = '"$@" </dev/null & server=$!; read -r _; kill -9 $server; wait $server 2>/dev/null'

/** Starts a server that nobody else uses, on a free loopback port; it keeps nothing. */
export async function startPrivateServer(executable: string): Promise<PrivateServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tiercel-bench-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  const shell = spawn('/bin/sh', ['-c', WATCHED, 'watch', executable, ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(shell, 'exit')
  const stop = async (): Promise<void> => {
    shell.stdin.on('error', () => {})
    shell.stdin.end()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  let log = ''
  for await (const line of createInterface({ input: shell.stdout })) {
    log += `${line}\n`
    if (/ready to accept connections/i.test(line)) {
      shell.stdout.resume()
      return { url: `redis://127.0.0.1:${port}`, stop }
    }
  }
  await stop()
  throw new Error(`${executable} did not start:\n${log}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
