import { type ConnectionStatus, InvalidArgumentError } from '@tiercel/core'
import type { Backend } from '../backend/backend.js'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { fromJson, toJson } from '../backend/json.js'
import { lazily } from '../backend/lazily.js'
import type { ChannelListener } from '../channels/pub-sub.js'
import type { Keyspace, Value } from '../keyspace/keyspace.js'
import { pairs, text, texts } from '../keyspace/reply.js'
import { FallbackKeyspace } from './fallback-keyspace.js'

const LONGEST_TTL_SECONDS = 315_360_000

/**
 * Commands of Redis that give the same results in memory when Redis is away, or when none is configured. No call fails because Redis cannot be reached; each waits at
 * most the deadline for it, and later ones not at all. What is written to memory meanwhile is seen by this process only, and is forgotten when Redis is back.
 *
 * Keys get the backend's prefix. Values are strings; the JSON methods take anything that is JSON. Numbers beyond 2^53 are refused in memory.
 */
export class RedisService {
  readonly #backend: Backend
  readonly #chosen: ChosenBackend
  readonly #keyspace: Keyspace

  constructor(choice: BackendChoice = {}) {
    this.#chosen = chooseBackend(choice)
    this.#backend = this.#chosen.backend
    this.#keyspace = this.#backend.link === undefined ? this.#backend.keyspace : new FallbackKeyspace(this.#backend)
  }

  /** `'connected'`, `'disconnected'` (before the first connection or deadline, and after it was closed), or `'memory-fallback'`. */
  getConnectionStatus(): ConnectionStatus {
    if (this.#keyspace instanceof FallbackKeyspace && this.#keyspace.isInMemory && !this.#backend.isClosed) return 'memory-fallback'
    return this.#backend.getConnectionStatus()
  }

  /** Resolves with the first connection or the first deadline. */
  async ready(): Promise<void> {
    await this.#backend.ready()
  }

  async get(key: string): Promise<string | null> {
    return await this.#text('GET', key)
  }

  /** Without `ttlSeconds` it stays until it is deleted. */
  async set(key: string, value: string, ttlSeconds?: number): Promise<void> {
    await this.#send('SET', key, checkedText(value), ...(ttlSeconds === undefined ? [] : ['PX', ms(ttlSeconds)]))
  }

  /** Sets it if there is none. Gives whether it did. */
  async setIfAbsent(key: string, value: string, ttlSeconds?: number): Promise<boolean> {
    return (await this.#send('SET', key, checkedText(value), 'NX', ...(ttlSeconds === undefined ? [] : ['PX', ms(ttlSeconds)]))) !== null
  }

  /** `null` as well for what is no JSON. */
  async getJSON<T = unknown>(key: string): Promise<T | null> {
    return ((fromJson(await this.get(key)) as T | undefined) ?? null) as T | null
  }

  /** @throws {InvalidArgumentError} for what cannot be written as JSON. */
  async setJSON(key: string, value: unknown, ttlSeconds?: number): Promise<void> {
    await this.set(key, toJson(value, 'value'), ttlSeconds)
  }

  /** Gives how many there were. */
  async del(...keys: string[]): Promise<number> {
    const counts = await Promise.all(keys.map((key) => this.#number('UNLINK', key)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async exists(key: string): Promise<boolean> {
    return (await this.#send('EXISTS', key)) === 1
  }

  /** Gives whether there is such a key. */
  async expire(key: string, ttlSeconds: number): Promise<boolean> {
    return (await this.#send('PEXPIRE', key, ms(ttlSeconds))) === 1
  }

  /** Seconds left; -1: it stays; -2: there is no such key. */
  async ttl(key: string): Promise<number> {
    return await this.#number('TTL', key)
  }

  /** Removes the keys that match a glob such as `user:*`. Gives how many there were. What is added meanwhile may stay. */
  async deletePattern(pattern: string): Promise<number> {
    if (typeof pattern !== 'string' || pattern === '') throw new InvalidArgumentError('A pattern is a string that is not empty')
    return await this.#keyspace.removeMatching(this.#backend.prefix + pattern)
  }

  async incr(key: string): Promise<number> {
    return await this.#number('INCR', key)
  }

  async decr(key: string): Promise<number> {
    return await this.#number('DECR', key)
  }

  async incrBy(key: string, by: number): Promise<number> {
    return await this.#number('INCRBY', key, whole(by))
  }

  async hget(key: string, field: string): Promise<string | null> {
    return await this.#text('HGET', key, field)
  }

  /** Gives how many fields are new. */
  async hset(key: string, fields: Readonly<Record<string, string>>): Promise<number> {
    const flat = Object.entries(fields).flatMap(([field, value]) => [field, checkedText(value)])
    return flat.length === 0 ? 0 : await this.#number('HSET', key, ...flat)
  }

  async hgetall(key: string): Promise<Record<string, string>> {
    return Object.fromEntries(pairs(await this.#send('HGETALL', key)))
  }

  async hdel(key: string, ...fields: string[]): Promise<number> {
    return fields.length === 0 ? 0 : await this.#number('HDEL', key, ...fields)
  }

  async hexists(key: string, field: string): Promise<boolean> {
    return (await this.#send('HEXISTS', key, field)) === 1
  }

  async hkeys(key: string): Promise<string[]> {
    return texts(await this.#send('HKEYS', key))
  }

  async hlen(key: string): Promise<number> {
    return await this.#number('HLEN', key)
  }

  async hincrby(key: string, field: string, by: number): Promise<number> {
    return await this.#number('HINCRBY', key, field, whole(by))
  }

  /** Gives how many are new. */
  async sadd(key: string, ...members: string[]): Promise<number> {
    return members.length === 0 ? 0 : await this.#number('SADD', key, ...members.map(checkedText))
  }

  async srem(key: string, ...members: string[]): Promise<number> {
    return members.length === 0 ? 0 : await this.#number('SREM', key, ...members)
  }

  /** In no particular order. */
  async smembers(key: string): Promise<string[]> {
    return texts(await this.#send('SMEMBERS', key))
  }

  async sismember(key: string, member: string): Promise<boolean> {
    return (await this.#send('SISMEMBER', key, member)) === 1
  }

  async scard(key: string): Promise<number> {
    return await this.#number('SCARD', key)
  }

  /** At the beginning, each in front of the one before. Gives how many there are then. */
  async lpush(key: string, ...items: string[]): Promise<number> {
    return items.length === 0 ? await this.llen(key) : await this.#number('LPUSH', key, ...items.map(checkedText))
  }

  /** At the end. Gives how many there are then. */
  async rpush(key: string, ...items: string[]): Promise<number> {
    return items.length === 0 ? await this.llen(key) : await this.#number('RPUSH', key, ...items.map(checkedText))
  }

  async lpop(key: string): Promise<string | null> {
    return await this.#text('LPOP', key)
  }

  async rpop(key: string): Promise<string | null> {
    return await this.#text('RPOP', key)
  }

  /** From the first index to the last, both included; negative ones count from the end. */
  async lrange(key: string, first: number, last: number): Promise<string[]> {
    return texts(await this.#send('LRANGE', key, whole(first), whole(last)))
  }

  async ltrim(key: string, first: number, last: number): Promise<void> {
    await this.#send('LTRIM', key, whole(first), whole(last))
  }

  /** `count` of them from the beginning, from the end if it is negative, all if it is 0. Gives how many there were. */
  async lrem(key: string, count: number, item: string): Promise<number> {
    return await this.#number('LREM', key, whole(count), item)
  }

  async llen(key: string): Promise<number> {
    return await this.#number('LLEN', key)
  }

  /** As `PubSub.publish`. */
  publish(channel: string, data: unknown): Promise<boolean> {
    return this.#backend.pubSub.publish(channel, data)
  }

  /** As `PubSub.subscribe`. */
  subscribe<Data = unknown>(channel: string, listener: ChannelListener<Data>): Promise<() => void> {
    return this.#backend.pubSub.subscribe(channel, listener)
  }

  /** As `PubSub.unsubscribe`. */
  unsubscribe(channel: string, listener?: ChannelListener<never>): void {
    this.#backend.pubSub.unsubscribe(channel, listener)
  }

  /** Closes what it opened: nothing, when it was given a backend or uses that of the process. */
  close(): Promise<void> {
    if (this.#keyspace instanceof FallbackKeyspace) this.#keyspace.close()
    return this.#chosen.close()
  }

  async #send(name: string, key: string, ...args: (string | number)[]): Promise<Value> {
    if (typeof key !== 'string' || key === '') throw new InvalidArgumentError('A key is a string that is not empty')
    return await this.#keyspace.send([name, this.#backend.prefix + key, ...args])
  }

  async #text(name: string, key: string, ...args: string[]): Promise<string | null> {
    return text(await this.#send(name, key, ...args)) ?? null
  }

  async #number(name: string, key: string, ...args: (string | number)[]): Promise<number> {
    return Number(await this.#send(name, key, ...args))
  }
}

function ms(ttlSeconds: number): number {
  if (typeof ttlSeconds !== 'number' || !(ttlSeconds >= 0.001 && ttlSeconds <= LONGEST_TTL_SECONDS)) {
    throw new InvalidArgumentError('ttlSeconds must be a number of seconds above 0')
  }
  return Math.round(ttlSeconds * 1000)
}

function whole(number: number): number {
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError('A whole number is needed')
  return number
}

function checkedText(value: unknown): string {
  if (typeof value !== 'string') throw new InvalidArgumentError('A value is a string; setJSON takes others')
  return value
}

/** @throws {InvalidOptionError} @throws {InvalidEnvironmentError} */
export function createRedisService(choice: BackendChoice = {}): RedisService {
  return new RedisService(choice)
}

/** The service of the process, by its environment; opened at the first use. */
export const redisService: RedisService = lazily((backend) => new RedisService({ backend }))
