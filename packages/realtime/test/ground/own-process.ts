import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll } from 'vitest'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A process of its own that runs a script, and says what it has to say line by line. */
export interface Own {
  readonly pid: number
  /** Resolves with the next line that it prints. */
  line(): Promise<string>
  /** Goes on with what the script awaits next: `await told()`. */
  tell(text: string): void
  signal(signal: NodeJS.Signals): void
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Starts scripts that have all of this package in scope as `realtime`, and `told()` and `say(text)` to talk with the test. What is still running ends with the test. */
export function useOwnProcesses(): (script: string, env?: Record<string, string>) => Own {
  let folder = ''
  let entry = ''
  const running = new Set<ChildProcess>()

  beforeAll(async () => {
    // Below the package, so that the clients are found.
    const parent = at('../../node_modules/.cache')
    await mkdir(parent, { recursive: true })
    folder = await mkdtemp(join(parent, 'own-'))
    entry = join(folder, 'realtime.mjs')
    await build({
      entryPoints: [at('../../src/index.ts')],
      outfile: entry,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
      alias: { '@tiercel/core': at('../../../core/src/index.ts'), '@tiercel/core/connection': at('../../../core/src/connection.ts') },
      external: ['redis', 'ioredis', '@socket.io/*'],
    })
  })
  afterEach(async () => {
    await Promise.all(
      Array.from(running, async (child) => {
        const exit = once(child, 'exit')
        child.kill('SIGKILL')
        await exit
      }),
    )
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  return (script, env = {}) => {
    const source = `
      import * as realtime from ${JSON.stringify(pathToFileURL(entry).href)}
      import { createInterface } from 'node:readline'
      const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
      process.stdin.unref()
      const told = async () => {
        process.stdin.ref()
        const { value } = await input.next()
        process.stdin.unref()
        return value
      }
      const say = (text) => console.log(text)
      ${script}`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['pipe', 'pipe', 'inherit'], cwd: at('../..'), env: { ...process.env, ...env } })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    running.add(child)
    const ended = once(child, 'exit').then(([code, signal]: unknown[]) => {
      running.delete(child)
      return (code ?? signal) as number | string
    })
    child.stdin.on('error', () => {})
    return {
      pid: child.pid ?? 0,
      line: async () => {
        const { value, done } = await lines.next()
        if (done === true) throw new Error('the process ended without a word')
        return value
      },
      tell: (text) => void child.stdin.write(`${text}\n`),
      signal: (signal) => void child.kill(signal),
      ended,
    }
  }
}
