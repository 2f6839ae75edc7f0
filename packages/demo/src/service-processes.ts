import type { CacheStats } from '@tiercel/core'
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Client } from './client.js'
import type { Database } from './database.js'
import { shareDatabase } from './shared-database.js'
import { startStandInModel } from './stand-in-model.js'

/** What a process says once, when it serves or cannot. */
export type Birth = { origin: string } | { failed: string }

/** What `/stats` of a process tells. */
export interface ServiceStats {
  /** Queries it sent. */
  databaseQueries: number
  /** Values by where they came from. */
  served: { memory: number; redis: number; database: number }
  /** Requests it is answering at this moment. */
  open: number
  redis: 'used' | 'not used'
  cache: CacheStats
  pages: {
    /** Runs of the handler. */
    runs: number
  }
  assistant: {
    modelCalls: number
    /** Answers in its memory. */
    kept: number
  }
  /** The one that is asked through the cache and streams. */
  model: {
    calls: number
    saved: { inputTokens: number; outputTokens: number }
  }
}

/** A process of the service, from outside. */
export interface ServiceProcess {
  /** For people: `A` or `B`. */
  readonly name: string
  readonly origin: string
  readonly client: Client
  stats(): Promise<ServiceStats>
}

/** Two processes of the service, on one Redis and one database. */
export interface ServiceProcesses {
  readonly pair: readonly [ServiceProcess, ServiceProcess]
  /** How long any of them may go on serving what was changed through the other, whatever happens. */
  readonly maxStaleness: number
  /** Two more that have nothing to do with these, and wait for Redis no longer than that. They are closed with these at the latest. */
  another(deadline: number): Promise<ServiceProcesses>
  close(): Promise<void>
}

export interface Surroundings {
  /** That of this process, which the others ask over a channel: PGlite lives in one process. */
  database: Pick<Database, 'query'>
  redisUrl: string
  /** Where they listen; 0 takes any port that is free. */
  ports?: readonly [number, number]
  /** The program of a process. */
  program?: URL
  /** How long a call waits for Redis, in milliseconds. */
  deadline?: number
}

const maxStaleness = 2_000
const longestClosing = 15_000
/**
 * Far more than the default: the visitors, the database and both processes share the cores of one machine, and one that is
 * kept waiting by the others must not take that for a Redis that is gone.
 */
const ampleDeadline = 5_000

export async function startProcesses(surroundings: Surroundings): Promise<ServiceProcesses> {
  const { ports = [0, 0], deadline = ampleDeadline } = surroundings
  // A new name at every start: another demo on the same Redis is neither seen nor touched, and what this one leaves
  // there expires by itself.
  const cacheName = `tiercel-demo-${randomBytes(4).toString('hex')}`
  const children: ChildProcess[] = []
  const clients: Client[] = []
  const others: Promise<ServiceProcesses>[] = []
  const standIn = process.env['OPENAI_API_KEY'] ? undefined : await startStandInModel()
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= closeAll())
  const closeAll = async (): Promise<void> => {
    for (const other of await Promise.allSettled(others)) if (other.status === 'fulfilled') await other.value.close()
    for (const client of clients) client.close()
    await Promise.all(children.map(end))
    await standIn?.close()
  }
  const another = (ofOthers: number): Promise<ServiceProcesses> => {
    const started = startProcesses({ ...surroundings, ports: [0, 0], deadline: ofOthers })
    others.push(started)
    return started
  }
  const start = async (name: string, port: number): Promise<ServiceProcess> => {
    const child = launch(surroundings, [cacheName, String(port), String(maxStaleness), String(deadline)], standIn ? { STAND_IN_MODEL: `${standIn.origin}/v1` } : {})
    children.push(child)
    const origin = await originOf(child)
    const client = new Client(origin)
    clients.push(client)
    return { name, origin, client, stats: async () => (await client.get<ServiceStats>('/stats')).body }
  }
  // Settled, not all: none may be left behind that was still starting when the other failed.
  const [a, b] = await Promise.allSettled([start('A', ports[0]), start('B', ports[1])])
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return { pair: [a.value, b.value], maxStaleness, another, close }
  await close()
  throw a.status === 'rejected' ? a.reason : b.status === 'rejected' && b.reason
}

function launch({ database, redisUrl, program = new URL('./service-process.js', import.meta.url) }: Surroundings, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(program, args, {
    // In a group of its own: Ctrl-C is for the parent, which lets the processes finish what they are answering.
    detached: true,
    // Not as an argument, which everybody on the machine can read.
    env: { ...process.env, ...env, REDIS_URL: redisUrl },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  shareDatabase(database, child)
  return child
}

function originOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: object) => {
      if ('origin' in message) resolve(String(message.origin))
      if ('failed' in message) reject(new Error(String(message.failed)))
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error('A process of the service ended before it served')))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  if (child.connected) child.disconnect()
  const late = setTimeout(() => child.kill('SIGKILL'), longestClosing)
  await ended
  clearTimeout(late)
}
