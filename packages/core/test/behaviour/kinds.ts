import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { vi } from 'vitest'
import { openConnection, type RedisTarget } from '../../src/redis/clients/index.js'
import { aclRules } from '../redis/server/acl.js'
import { startCluster, startRedis, useRedis, type RedisCluster, type RedisServer } from '../redis/server/index.js'
import { template, type PackageName } from '../redis/clients/variants.js'
import { timeOfThisProcess, timeWithRedis, type Clock } from './virtual-time.js'

const require = createRequire(import.meta.url)

/** Where the caches of a kind keep their values. */
export interface Backend {
  readonly redis: RedisTarget | false
  stop(): void
}

/** A kind of cache that has to behave as every other kind does. */
export interface Kind {
  readonly name: string
  readonly tier: 'memory' | 'redis'
  readonly isCluster: boolean
  /** Which subjects are tested on it in `npm test`. With TIERCEL_PROOF=1 all are. */
  readonly subjects: 'all' | readonly string[]
  readonly clock: Clock
  start(): Promise<Backend>
}

/** One subject of each part of the protocol. */
const SELECTION: readonly string[] = ['getOrSet', 'getOrSetMany', 'tags and rooms', 'expire', 'patterns']
/** What is done by slot. */
const SELECTION_FOR_CLUSTERS: readonly string[] = ['getOrSetMany', 'tags and rooms', 'patterns']

const memory: Kind = {
  name: 'memory',
  tier: 'memory',
  isCluster: false,
  subjects: 'all',
  clock: timeOfThisProcess,
  start: () => Promise.resolve({ redis: false, stop: () => {} }),
}

interface Client {
  readonly name: string
  readonly packageName: PackageName
  readonly isNewest: boolean
}

const clients: readonly Client[] = [
  { name: 'node-redis 6', packageName: 'redis', isNewest: true },
  { name: 'ioredis 6', packageName: 'ioredis', isNewest: true },
  { name: 'node-redis 5', packageName: 'redis5', isNewest: false },
  { name: 'ioredis 5', packageName: 'ioredis5', isNewest: false },
]

export const kinds: readonly Kind[] = [
  memory,
  ...clients.map(({ name, packageName, isNewest }): Kind => {
    const subjects = isNewest ? 'all' : SELECTION
    return { name, tier: 'redis', isCluster: false, subjects, clock: timeWithRedis(), start: () => startStandalone(packageName) }
  }),
  ...clients
    .filter(({ isNewest }) => isNewest)
    .map(({ name, packageName }): Kind => {
      const start = () => startForUser(packageName)
      return { name: `${name}, a user who may do what the documentation says`, tier: 'redis', isCluster: false, subjects: SELECTION, clock: timeWithRedis(), start }
    }),
  ...clients.map(({ name, packageName, isNewest }): Kind => {
    const subjects = isNewest ? SELECTION_FOR_CLUSTERS : []
    return { name: `${name}, cluster`, tier: 'redis', isCluster: true, subjects, clock: timeWithRedis(), start: () => startClustered(packageName) }
  }),
]

/** No two caches of a test share what is in Redis, unless the test says so. */
const ofThisRun = `app:b${randomBytes(6).toString('hex')}:`
let prefixes = 0

export function newPrefix(): string {
  return `${ofThisRun}${prefixes++}:`
}

let server: ReturnType<typeof useRedis> | undefined
let cluster: Promise<RedisCluster> | undefined
let restricted: Promise<RedisServer> | undefined

/** To be called when all tests of a file are over: its kinds share what runs. */
export async function stopServers(): Promise<void> {
  const running = [server, cluster, restricted]
  if (server !== undefined) await clear((await server).url)
  server = cluster = restricted = undefined
  for (const each of running) await (await each)?.stop()
}

async function startStandalone(packageName: PackageName): Promise<Backend> {
  server ??= useRedis()
  return { redis: template(packageName, (await server).url), stop: () => {} }
}

async function startForUser(packageName: PackageName): Promise<Backend> {
  restricted ??= startRedis()
  const redis = await restricted
  await redis.cli('ACL', 'SETUSER', 'cache', 'reset', ...aclRules)
  return { redis: template(packageName, redis.url.replace('redis://', 'redis://cache:password@')), stop: () => {} }
}

/** What the tests have left in a Redis that may be somebody else's. */
async function clear(url: string): Promise<void> {
  const connection = openConnection(url, { connectTimeoutMs: 30_000, onError: () => {} })
  let cursor = '0'
  do {
    const [next, names] = (await connection.send(['SCAN', cursor, 'MATCH', `${ofThisRun}*`, 'COUNT', '1000'], { route: '', timeoutMs: 30_000 })) as [Buffer, Buffer[]]
    cursor = String(next)
    if (names.length > 0) await connection.send(['UNLINK', ...names], { route: '', timeoutMs: 30_000 })
  } while (cursor !== '0')
  await connection.close(0)
}

interface ConnectedTemplate {
  readonly status?: string
  disconnect?(): unknown
}

async function startClustered(packageName: PackageName): Promise<Backend> {
  cluster ??= startCluster()
  const made = clusterTemplate(packageName, (await cluster).urls)
  const cluster5 = made as RedisTarget & ConnectedTemplate
  if (packageName !== 'ioredis5') return { redis: made, stop: () => {} }
  // Nodes of this version are made like those of a cluster that has connected.
  await vi.waitUntil(() => cluster5.status === 'ready', { timeout: 30_000, interval: 10 })
  return { redis: made, stop: () => void cluster5.disconnect?.() }
}

function clusterTemplate(packageName: PackageName, urls: readonly string[]): RedisTarget {
  if (packageName.startsWith('redis')) {
    const { createCluster } = require(packageName) as { createCluster(options: object): RedisTarget }
    return createCluster({ rootNodes: urls.map((url) => ({ url })) })
  }
  const { Cluster } = require(packageName) as { Cluster: new (nodes: readonly string[], options: object) => RedisTarget }
  return new Cluster(urls, { lazyConnect: packageName !== 'ioredis5' })
}
