import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

const started: ChildProcess[] = []

/** Starts a command in a group of its own: without Redis, unless `env` says otherwise, with no server on PATH and none named. */
export function run(command: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, DATABASE_URL: '', REDIS_URL: '', PATH: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString()))
  // 'close' waits for everybody who holds the pipes, so also for what a shell or the demo has left behind.
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const printed = (pattern: RegExp) => new Promise<RegExpExecArray>((resolve, reject) => {
    const look = () => {
      const found = pattern.exec(output.out)
      if (found) resolve(found)
    }
    child.stdout.on('data', look)
    look()
    void ended.then(() => reject(new Error(`It ended early: ${output.err}`)))
  })
  /** The addresses it prints once it serves. */
  const serving = async (): Promise<string[]> => {
    await printed(/Stop with Ctrl-C/)
    return Array.from(output.out.matchAll(/curl (http\S+)\/stats/g), ([, origin]) => origin ?? '')
  }
  return { child, output, ended, printed, serving }
}

/** Ends whatever was started and goes on. */
export function endAll(): void {
  // The group, because what a shell has started outlives it.
  for (const { pid } of started.splice(0)) {
    try {
      if (pid) process.kill(-pid, 'SIGKILL')
    } catch {
      // Nobody is left, which is how it should be.
    }
  }
}
