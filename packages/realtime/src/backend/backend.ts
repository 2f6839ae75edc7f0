import { randomUUID } from 'node:crypto'
import { cacheOptionsFromEnv, type ConnectionStatus, type Duration, InvalidOptionError, RedisRefusedError, type RedisTarget } from '@tiercel/core'
import { type LinkOptions, openLink, type OwnLink, type RedisState, toMs } from '@tiercel/core/connection'
import { LinkBus } from '../channels/link-bus.js'
import { MemoryBus } from '../channels/memory-bus.js'
import { PubSub } from '../channels/pub-sub.js'
import { LinkKeyspace } from '../keyspace/link-keyspace.js'
import { MemoryKeyspace } from '../keyspace/memory-keyspace.js'
import { scripts } from '../keyspace/operation.js'
import { checkPrefix } from './names.js'

const LOADING_MS = 1000

type Recovering = Parameters<NonNullable<LinkOptions['recover']>>[0]

export interface BackendOptions {
  /** Which Redis: a URL, options, or a client or cluster of `redis` or `ioredis`. `false`: none, all is in the memory of this process. Default: by the environment. */
  readonly redis?: RedisTarget | false
  /** What all keys and channels begin with. Default: `REDIS_KEY_PREFIX` or `REDIS_PREFIX`, else nothing. */
  readonly prefix?: string
  /** What a command may take. Default: `REDIS_COMMAND_TIMEOUT`, else `'250ms'`. */
  readonly deadline?: Duration
  /** What an attempt to connect may take. Default: `REDIS_CONNECT_TIMEOUT`, else `'5s'`. */
  readonly connectTimeout?: Duration
  /** Who this process is to others. Default: `SERVER_ID`, else a random name. */
  readonly serverId?: string
  /** Errors that no caller is told of, such as those of connecting. */
  onError?(error: unknown): void
}

/** Memory that several backends share, as processes share a Redis. For tests, and for several of them in one process. */
export type SharedMemory = MemoryKeyspace

/**
 * What all pieces of this package stand on: one connection to Redis for commands and one for messages, or the memory of this process.
 *
 * It is decided once, by whether a Redis is configured. A backend with a Redis does not become one without when Redis is away.
 */
export class Backend {
  readonly prefix: string
  /** Who this process is to others. */
  readonly serverId: string
  /** `undefined`: there is no Redis, and all is in this process. */
  readonly link: OwnLink | undefined
  readonly keyspace: LinkKeyspace | MemoryKeyspace
  readonly pubSub: PubSub
  /** Opens another connection to the same Redis, for commands that wait there. Whoever does closes it. `undefined`: there is no Redis. */
  readonly openAnother: (() => OwnLink) | undefined
  readonly #listeners = new Set<(state: RedisState) => void>()
  readonly #beforeClose = new Set<() => Promise<unknown>>()
  #closed = false

  /** @throws {InvalidOptionError} */
  constructor({ redis = false, prefix = '', deadline = 250, connectTimeout = 5000, serverId = randomUUID(), onError }: BackendOptions, memory?: SharedMemory) {
    this.prefix = checkPrefix(prefix)
    if (typeof serverId !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(serverId)) throw new InvalidOptionError('serverId must be 1 to 64 printable ASCII characters without spaces')
    this.serverId = serverId
    if (redis === false) {
      this.keyspace = memory ?? new MemoryKeyspace()
    } else {
      const options: LinkOptions = {
        deadlineMs: toMs(deadline, 'deadline'),
        connectTimeoutMs: toMs(connectTimeout, 'connectTimeout'),
        onError: (error) => onError?.(error),
      }
      this.link = openLink(redis, {
        ...options,
        recover: loadScripts,
        onState: (state) => {
          for (const listener of Array.from(this.#listeners)) listener(state)
        },
      })
      this.openAnother = () => openLink(redis, options)
      this.keyspace = new LinkKeyspace(this.link)
    }
    const bus = this.keyspace instanceof MemoryKeyspace ? new MemoryBus(this.keyspace.hub) : new LinkBus(this.link as OwnLink)
    this.pubSub = new PubSub({ bus, prefix: this.prefix, serverId, deadlineMs: this.link?.deadlineMs ?? 0, isAway: () => this.link?.state === 'outage', ready: () => this.ready() })
  }

  /** Resolves with the first connection or the first deadline, to whether Redis answers. Without Redis at once, to `true`. */
  ready(): Promise<boolean> {
    return this.link?.ready() ?? Promise.resolve(true)
  }

  /** Whether there is a Redis and it does not answer. */
  get isAway(): boolean {
    return this.link !== undefined && this.link.state !== 'up'
  }

  /** `'memory-fallback'`: there is no Redis, or it is away; what then works is told by each piece. */
  getConnectionStatus(): ConnectionStatus {
    if (this.#closed) return 'disconnected'
    if (this.link === undefined) return 'memory-fallback'
    return ({ connecting: 'disconnected', up: 'connected', outage: 'memory-fallback', closed: 'disconnected' } as const)[this.link.state]
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Told of every change of the connection. Returns a function that ends it. */
  onState(listener: (state: RedisState) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** What has to be told to Redis before the connection ends. Returns a function that ends it. */
  beforeClose(tell: () => Promise<unknown>): () => void {
    this.#beforeClose.add(tell)
    return () => void this.#beforeClose.delete(tell)
  }

  /** Ends subscriptions and connections. What is in flight has the deadline to end. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(Array.from(this.#beforeClose, (tell) => tell()))
    this.pubSub.close()
    await this.link?.close()
    this.#listeners.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * A server that does not know a script is sent it again, as a whole. What was sent between the two tries is executed before it: so that calls are executed in the
 * order they were made, all scripts are there before the first call.
 */
async function loadScripts(connection: Recovering): Promise<void> {
  const nodes = await connection.masters()
  const loading = nodes.flatMap((node) => scripts.map(({ source }) => node.send(['SCRIPT', 'LOAD', source], LOADING_MS)))
  for (const loaded of await Promise.allSettled(loading)) {
    // Not every user may do this, and not every mock can.
    if (loaded.status === 'rejected' && !(loaded.reason instanceof RedisRefusedError)) throw loaded.reason
  }
}

/**
 * A connection for several pieces. What is not given comes from the environment, each variable checked.
 *
 * @throws {InvalidOptionError} @throws {InvalidEnvironmentError}
 * @example
 * const backend = createBackend({ redis: 'redis://localhost:6379', prefix: 'app:' })
 * const sessions = createChatSessionStore({ backend })
 */
export function createBackend(options: BackendOptions = {}): Backend {
  const { ttl: _, ...fromEnvironment } = cacheOptionsFromEnv(process.env)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return new Backend({ ...(fromEnvironment as BackendOptions), ...given })
}
