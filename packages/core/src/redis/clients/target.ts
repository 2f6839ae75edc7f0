import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { InvalidOptionError } from '../../errors/index.js'
import type { Address } from './address.js'
import { clientKind, type IoredisClient, type IoredisCluster, type NodeRedisClient, type NodeRedisCluster } from './detection.js'

/** One Redis server, named by a URL or by host and port. */
export interface RedisOptions {
  /** `redis://` or, for TLS, `rediss://`, then `user:password@host:port/database`. Goes with `tls` only. */
  readonly url?: string
  /** Default `'127.0.0.1'`. */
  readonly host?: string
  /** Default 6379. */
  readonly port?: number
  readonly username?: string
  readonly password?: string
  /** The number of the logical database. Default 0. */
  readonly database?: number
  /** `true`, or options for `tls.connect`. Default: TLS for `rediss://` only. */
  readonly tls?: boolean | ConnectionOptions
}

/**
 * Which Redis: a URL, options, or a client or cluster of node-redis or ioredis, versions 5 and 6 of both.
 *
 * A client is a template: connections are made like it, and it is neither used nor connected nor closed.
 */
export type RedisTarget = string | RedisOptions | NodeRedisClient | NodeRedisCluster | IoredisClient | IoredisCluster

/** A server with nothing left to decide. */
export interface Server extends Address {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
  readonly tls: ConnectionOptions | undefined
}

export type ResolvedTarget =
  | { readonly kind: 'server'; readonly server: Server }
  | { readonly kind: 'node-redis'; readonly template: NodeRedisClient }
  | { readonly kind: 'node-redis-cluster'; readonly template: NodeRedisCluster }
  | { readonly kind: 'ioredis'; readonly template: IoredisClient }
  | { readonly kind: 'ioredis-cluster'; readonly template: IoredisCluster }

const NAMES = new Set(['url', 'host', 'port', 'username', 'password', 'database', 'tls'])

/** @throws {InvalidOptionError} Never with a value in its message: it may be a password in the wrong place. */
export function resolveTarget(target: RedisTarget): ResolvedTarget {
  if (typeof target === 'string') return { kind: 'server', server: fromUrl(target, undefined) }
  return clientKind(target) ?? { kind: 'server', server: fromOptions(target) }
}

function fromOptions(target: unknown): Server {
  if (!isPlainObject(target)) {
    throw new InvalidOptionError('redis must be a URL, options, or a client or cluster of node-redis or ioredis, version 5 or 6')
  }
  for (const name of Object.keys(target)) {
    if (!NAMES.has(name)) throw new InvalidOptionError(`redis has an option that does not exist; there are ${[...NAMES].join(', ')}`)
  }
  const { url, host, port, username, password, database, tls } = target
  const options: RedisOptions = {
    ...textOption('url', url),
    ...textOption('host', host),
    ...textOption('username', username),
    ...textOption('password', password),
    ...whole('port', port, 1, 65_535),
    ...whole('database', database, 0, 2 ** 31 - 1),
    ...tlsOption(tls),
  }
  if (options.url !== undefined) {
    if ([host, port, username, password, database].some((given) => given !== undefined)) {
      throw new InvalidOptionError('redis.url says everything but tls: give either it, or host, port, username, password and database')
    }
    return fromUrl(options.url, options.tls)
  }
  return server(options.host, options.port, options.username, options.password, options.database, options.tls)
}

function fromUrl(text: string, tls: boolean | ConnectionOptions | undefined): Server {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw wrongUrl()
  }
  const secure = url.protocol === 'rediss:'
  if (!secure && url.protocol !== 'redis:') throw new InvalidOptionError('the URL of Redis begins with redis:// or, for TLS, rediss://')
  // A password with an unescaped / ? or # ends up here, and part of it where the host is.
  if (!/^\/?\d{0,9}$/.test(url.pathname) || url.search !== '' || url.hash !== '' || !text.includes('://')) throw wrongUrl()
  if (tls !== undefined && (tls !== false) !== secure) throw new InvalidOptionError('redis.tls contradicts the URL: rediss:// is TLS, redis:// is not')
  const database = Number(url.pathname.slice(1))
  const port = url.port === '' ? undefined : Number(url.port)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return server(decoded(host) || undefined, port, decoded(url.username) || undefined, decoded(url.password) || undefined, database, tls ?? secure)
}

function server(
  host = '127.0.0.1',
  port = 6379,
  username: string | undefined,
  password: string | undefined,
  database = 0,
  tls: boolean | ConnectionOptions | undefined,
): Server {
  if (username !== undefined && password === undefined) throw new InvalidOptionError('redis has a username and no password')
  return { host, port, username, password, database, tls: tlsOptions(tls, host) }
}

function tlsOptions(tls: boolean | ConnectionOptions | undefined, host: string): ConnectionOptions | undefined {
  if (tls === undefined || tls === false) return undefined
  const named = isIP(host) === 0 ? { servername: host } : {}
  return { ...named, ...(tls === true ? {} : tls) }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw wrongUrl()
  }
}

function wrongUrl(): InvalidOptionError {
  return new InvalidOptionError(
    'the URL of Redis must look like redis://user:password@host:port/database; percent-encode / ? # @ : % in user name and password',
  )
}

function textOption<Name extends string>(name: Name, value: unknown): { [key in Name]?: string } {
  if (value === undefined) return {}
  if (typeof value !== 'string' || value === '') throw new InvalidOptionError(`redis.${name} must be a string that is not empty`)
  return { [name]: value } as { [key in Name]?: string }
}

function whole<Name extends string>(name: Name, value: unknown, least: number, most: number): { [key in Name]?: number } {
  if (value === undefined) return {}
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new InvalidOptionError(`redis.${name} must be a whole number from ${least} to ${most}`)
  }
  return { [name]: value } as { [key in Name]?: number }
}

function tlsOption(value: unknown): { tls?: boolean | ConnectionOptions } {
  if (value === undefined) return {}
  if (typeof value === 'boolean') return { tls: value }
  if (typeof value === 'object' && value !== null) return { tls: value }
  throw new InvalidOptionError('redis.tls must be true, false, or options for tls.connect')
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
