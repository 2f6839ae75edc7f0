import { type Cache, cacheOptionsFromEnv, createCache, InvalidArgumentError } from '@tiercel/core'
import { canonical } from './canonical.js'

export interface QueryCacheOptions {
  /** On which cache: it is used under the namespace `queries`, and not closed. Default: one of its own, by the environment. */
  readonly cache?: Cache
  /** To which room a query belongs, by which it is forgotten. Default: its parameter `roomId` or `room_id`. */
  roomOf?(name: string, params: unknown): string | undefined
}

export interface QueryOptions {
  /** To which room this one belongs. */
  readonly room?: string
  readonly tags?: readonly string[]
}

/** The rows of queries, by name and parameters: in this process in front of Redis, the same for all processes, and forgotten by all of them. */
export class QueryCache {
  readonly #cache: Cache
  readonly #roomOf: (name: string, params: unknown) => string | undefined
  readonly #close: () => Promise<void>

  constructor({ cache, roomOf = roomInParams }: QueryCacheOptions = {}) {
    const own = cache === undefined ? createCache(cacheOptionsFromEnv(process.env)) : undefined
    this.#cache = (cache ?? own)?.namespace('queries') as Cache
    this.#roomOf = roomOf
    this.#close = async () => await own?.close()
  }

  /** `undefined` when they are not known. The order of parameters does not matter. */
  async get<Rows = unknown>(name: string, params: unknown): Promise<Rows | undefined> {
    return await this.#cache.get<Rows>(keyOf(name, params))
  }

  async set(name: string, params: unknown, rows: unknown, ttlSeconds: number, options?: QueryOptions): Promise<void> {
    await this.#cache.set(keyOf(name, params), rows, this.#entry(name, params, ttlSeconds, options))
  }

  /** As `get`, and else `query`: once for all who ask at the same time, in all processes. */
  async getOrQuery<Rows>(name: string, params: unknown, query: () => Rows | Promise<Rows>, ttlSeconds: number, options?: QueryOptions): Promise<Rows> {
    return await this.#cache.getOrSet(keyOf(name, params), query, this.#entry(name, params, ttlSeconds, options))
  }

  async delete(name: string, params: unknown): Promise<void> {
    await this.#cache.invalidate({ key: keyOf(name, params) })
  }

  /** All whose `name:parameters`, the parameters as JSON with their names in order, match a glob: `messages:*`. */
  async invalidatePattern(pattern: string): Promise<void> {
    await this.#cache.invalidatePattern(pattern)
  }

  async invalidateRoom(roomId: string): Promise<void> {
    await this.#cache.invalidateRoom(roomId)
  }

  /** Closes its own cache, if it was not given one. */
  close(): Promise<void> {
    return this.#close()
  }

  #entry(name: string, params: unknown, ttlSeconds: number, { room = this.#roomOf(name, params), tags }: QueryOptions = {}) {
    return { ttl: ttlSeconds * 1000, ...(room === undefined ? {} : { room }), ...(tags === undefined ? {} : { tags }) }
  }
}

/** A name has nothing in it that parameters begin with, so no two pairs of them make one key. */
function keyOf(name: string, params: unknown): string {
  if (typeof name !== 'string' || !/^[^\s"[{]+$/.test(name)) throw new InvalidArgumentError('The name of a query is a string without spaces, quotes and opening brackets')
  return `${name}:${canonical(params)}`
}

function roomInParams(_name: string, params: unknown): string | undefined {
  if (typeof params !== 'object' || params === null) return undefined
  const { roomId, room_id: alternative } = params as Record<string, unknown>
  const room = roomId ?? alternative
  return typeof room === 'string' || typeof room === 'number' ? String(room) : undefined
}

/** @throws {InvalidOptionError} @throws {InvalidEnvironmentError} */
export function createQueryCache(options: QueryCacheOptions = {}): QueryCache {
  return new QueryCache(options)
}
