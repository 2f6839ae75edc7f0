import { InvalidOptionError } from '../../errors/index.js'

// What of each client's shape is relied on, no more: either client may be absent, and its types with it.

/** A client of `createClient` of node-redis, versions 5 and 6. */
export interface NodeRedisClient {
  readonly options?: unknown
  duplicate(...overrides: never[]): unknown
  withTypeMapping(...mapping: never[]): unknown
  sendCommand(...command: never[]): unknown
}

/** A cluster of `createCluster` of node-redis, versions 5 and 6. */
export interface NodeRedisCluster {
  readonly masters: unknown
  duplicate(...overrides: never[]): unknown
  withTypeMapping(...mapping: never[]): unknown
  nodeClient(...node: never[]): unknown
}

/** A `Redis` of ioredis, versions 5 and 6: of one server, or of what Sentinels name. */
export interface IoredisClient {
  readonly options: object
  duplicate(...overrides: never[]): unknown
  getBuffer(...key: never[]): unknown
}

/** A `Cluster` of ioredis, versions 5 and 6. */
export interface IoredisCluster {
  readonly isCluster: boolean
  readonly options: object
  duplicate(...overrides: never[]): unknown
  nodes(...role: never[]): unknown
}

type Client =
  | { readonly kind: 'node-redis'; readonly template: NodeRedisClient }
  | { readonly kind: 'node-redis-cluster'; readonly template: NodeRedisCluster }
  | { readonly kind: 'ioredis'; readonly template: IoredisClient }
  | { readonly kind: 'ioredis-cluster'; readonly template: IoredisCluster }

/**
 * Which client an object is, by its shape: `instanceof` would need the class, and fails across copies of a package.
 * `undefined` for what is none.
 *
 * @throws {InvalidOptionError} for a kind or version of client that cannot serve as a template.
 */
export function clientKind(target: object): Client | undefined {
  const has = (...names: string[]) => names.every((name) => typeof Reflect.get(target, name) === 'function')
  if (typeof target !== 'object' || target === null || !has('duplicate')) return undefined
  if (has('withTypeMapping', 'nodeClient')) return { kind: 'node-redis-cluster', template: target as NodeRedisCluster }
  if (has('withTypeMapping', 'acquire')) {
    throw new InvalidOptionError('redis cannot be a Sentinel of node-redis: pass an ioredis client with sentinels')
  }
  if (has('withTypeMapping', 'execute')) throw new InvalidOptionError('redis cannot be a pool: pass a client, of which connections are made')
  if (has('withTypeMapping', 'sendCommand')) return { kind: 'node-redis', template: target as NodeRedisClient }
  if (has('nodes') && Reflect.get(target, 'isCluster') === true) return { kind: 'ioredis-cluster', template: target as IoredisCluster }
  if (has('getBuffer') && typeof Reflect.get(target, 'options') === 'object') return { kind: 'ioredis', template: target as IoredisClient }
  throw new InvalidOptionError('redis is a client of a kind or version that is not supported: node-redis and ioredis, versions 5 and 6, are')
}
