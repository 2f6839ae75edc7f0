import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Reads calls from standard input, makes them on a cache, and prints what they give. */
const PROGRAM = `
import { createInterface } from 'node:readline'
const [url, redis] = process.argv.slice(1)
const { createCache } = await import(url)
const cache = createCache({ redis, deadline: '20s', connectTimeout: '20s', maxStaleness: '1m', grace: '1h' })
const errors = []
cache.on('error', ({ error }) => errors.push(String(error)))
await cache.ready()
const calls = {
  load: (key, value, options) => cache.getOrSet(key, () => value, options),
  look: (key) => cache.get(key, { memory: false }),
  invoke: (method, ...args) => cache[method](...args),
  state: () => ({ stats: cache.stats(), health: cache.health(), errors }),
}
for await (const line of createInterface({ input: process.stdin })) {
  const [call, ...args] = JSON.parse(line)
  process.stdout.write(JSON.stringify([await calls[call](...args)]) + '\\n')
}
await cache.close()
`

export interface ReleaseState {
  readonly stats: { readonly redis: { readonly corruptEntries: number; readonly foreignMessages: number; readonly gaps: number; readonly outages: number } }
  readonly health: { readonly healthy: boolean }
  readonly errors: readonly string[]
}

/** A process that runs one release of the package on a Redis. */
export class ReleaseProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(release: string, redis: string) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, release, redis], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** As `getOrSet`, with a loader that gives this value. */
  load(key: string, value: unknown, options?: object): Promise<unknown> {
    return this.#ask('load', key, value, options)
  }

  /** What Redis has. */
  look(key: string): Promise<unknown> {
    return this.#ask('look', key)
  }

  /** Any other method. */
  invoke(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#ask('invoke', method, ...args)
  }

  state(): Promise<ReleaseState> {
    return this.#ask('state') as Promise<ReleaseState>
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }

  async #ask(...call: readonly unknown[]): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(call)}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('The process has ended')
    const [answer] = JSON.parse(value) as [unknown]
    return answer ?? undefined
  }
}
