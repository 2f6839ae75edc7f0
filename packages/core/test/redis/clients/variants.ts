import { createRequire } from 'node:module'
import { vi } from 'vitest'
import { openConnection, type RedisConnection, type RedisTarget } from '../../../src/redis/clients/index.js'
import type { RedisError } from '../../../src/errors/index.js'

const require = createRequire(import.meta.url)

type Module = Record<string, unknown>
export type PackageName = 'redis' | 'redis5' | 'ioredis' | 'ioredis5'

/** Every client, each by URL and as a template. */
export interface Variant {
  readonly name: string
  readonly packageName: PackageName
  readonly by: 'URL' | 'template'
  target(url: string): RedisTarget
}

export const packages: readonly PackageName[] = ['redis', 'redis5', 'ioredis', 'ioredis5']

export const variants: readonly Variant[] = packages.flatMap((packageName) => [
  { name: `${packageName}, URL`, packageName, by: 'URL' as const, target: (url: string) => url },
  { name: `${packageName}, template`, packageName, by: 'template' as const, target: (url: string) => template(packageName, url) },
])

/** Settings as hostile to a cache as a user can have them, all to be overruled. */
export function template(packageName: PackageName, url: string, options: object = {}): RedisTarget {
  if (packageName.startsWith('redis')) {
    const { createClient } = require(packageName) as { createClient(options: object): RedisTarget }
    return createClient({ url, readonly: false, socket: { reconnectStrategy: 20, socketTimeout: 60 }, pingInterval: 50, ...options })
  }
  const { Redis } = require(packageName) as { Redis: new (url: string, options: object) => RedisTarget }
  return new Redis(url, { lazyConnect: true, keyPrefix: 'wrong:', enableAutoPipelining: true, commandTimeout: 20, stringNumbers: true, ...options })
}

/** Makes `import('redis')` and `import('ioredis')` find what a user of only this client has installed. */
export function installOnly(packageName: PackageName | undefined): void {
  const missing = () => {
    throw new Error('not installed')
  }
  const found = (name: string) => () => ({ ...(require(name) as Module) })
  vi.doMock('redis', packageName?.startsWith('redis') === true ? found(packageName) : missing)
  vi.doMock('ioredis', packageName?.startsWith('ioredis') === true ? found(packageName) : missing)
}

const opened = new Set<RedisConnection>()

export interface Opened {
  readonly connection: RedisConnection
  /** What was reported in the background. */
  readonly errors: readonly RedisError[]
}

/** Opens a connection that `closeAll` closes. */
export function open(target: RedisTarget, connectTimeoutMs = 20_000): Opened {
  const errors: RedisError[] = []
  const connection = openConnection(target, { connectTimeoutMs, onError: (error) => errors.push(error) })
  opened.add(connection)
  return { connection, errors }
}

export async function closeAll(): Promise<void> {
  await Promise.all(Array.from(opened, (connection) => connection.close(0)))
  opened.clear()
}
