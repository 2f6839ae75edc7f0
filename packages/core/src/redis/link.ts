import { RedisRefusedError, RedisUnavailableError } from '../errors/index.js'
import { Breaker, type RedisState } from './breaker.js'
import { openConnection, type MasterNode, type RedisConnection, type RedisTarget, type Reply, type Subscription, type SubscriptionHandlers } from './clients/index.js'
import type { Argument } from './clients/reply.js'
import type { Script } from './clients/script.js'

/** How long a try to come back may take: longer than a call may wait. */
const RECOVERY_TIMEOUT_MS = 1000

/**
 * Redis for what is built beside a cache: the same for every client, with a deadline for every command, and not asked while it does not answer.
 *
 * Every rejection is a {@link RedisError} whose message holds no password, command or value.
 */
export class RedisLink {
  readonly #connection: RedisConnection
  readonly #breaker: Breaker

  constructor(
    connection: RedisConnection,
    breaker: Breaker,
    /** What a command may take when it does not say otherwise, in ms. */
    readonly deadlineMs: number,
  ) {
    this.#connection = connection
    this.#breaker = breaker
  }

  get kind(): 'standalone' | 'cluster' {
    return this.#connection.kind
  }

  get state(): RedisState {
    return this.#breaker.state
  }

  /** Resolves with the first connection or the first deadline, to whether Redis answers. */
  async ready(): Promise<boolean> {
    await this.#breaker.ready
    return this.state === 'up'
  }

  /**
   * Sends one command, once: when its reply is lost nobody knows whether it was executed.
   *
   * @param options.route The key whose slot decides the node of a cluster.
   * @throws {RedisUnavailableError} at once while Redis does not answer; {@link RedisTimeoutError} after the deadline; {@link RedisRefusedError} for a refusal.
   */
  send(args: readonly Argument[], { route, timeoutMs = this.deadlineMs }: { readonly route: string; readonly timeoutMs?: number }): Promise<Reply> {
    return this.#ask(() => this.#connection.send(args, { route, timeoutMs }))
  }

  /** Runs a script. All `keys` are of one slot. Throws as `send` does. */
  run(script: Script, keys: readonly string[], args: readonly Argument[], timeoutMs: number = this.deadlineMs): Promise<Reply> {
    return this.#ask(() => this.#connection.run(script, keys, args, timeoutMs))
  }

  /** Every server that takes writes, for what concerns a server rather than a key. Throws as `send` does. */
  masters(): Promise<readonly MasterNode[]> {
    return this.#ask(() => this.#connection.masters())
  }

  /**
   * Subscribes on a connection of its own, kept for ever and whatever the state; without a `channel` to what is added later. Resolves at the first acknowledgement, however long that takes.
   * Messages are missed between `onLost` and `onSubscribed`.
   */
  subscribe(channel: string | undefined, handlers: SubscriptionHandlers): Promise<Subscription> {
    return this.#connection.subscribe(channel, handlers)
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.state === 'connecting') await this.#breaker.ready
    if (this.state !== 'up') throw new RedisUnavailableError('Redis does not answer; it is asked again as soon as it does')
    try {
      const answer = await question()
      this.#breaker.succeeded()
      return answer
    } catch (error) {
      this.#breaker.failed(error)
      throw error
    }
  }
}

export interface LinkOptions {
  /** What a command may take, in ms. Default 250. */
  readonly deadlineMs?: number
  /** What an attempt to connect may take, in ms. Default 5000. */
  readonly connectTimeoutMs?: number
  /**
   * What has to be done with Redis before anything else is asked of it again, at the beginning and after each outage: telling it what it missed, say. It is
   * repeated until it resolves.
   */
  recover?(connection: Pick<RedisConnection, 'kind' | 'send' | 'run' | 'masters'>): Promise<void>
  onState?(state: RedisState): void
  /** Errors that no caller is told of, and each that counts towards an outage. */
  onError?(error: unknown): void
}

/** A link with a connection of its own. */
export interface OwnLink extends RedisLink {
  /** What is in flight has the deadline to end, then it fails. */
  close(): Promise<void>
}

class OpenedLink extends RedisLink implements OwnLink {
  readonly #close: (timeoutMs: number) => Promise<void>

  constructor(connection: RedisConnection, breaker: Breaker, deadlineMs: number) {
    super(connection, breaker, deadlineMs)
    this.#close = (timeoutMs) => {
      breaker.close()
      return connection.close(timeoutMs)
    }
  }

  close(): Promise<void> {
    return this.state === 'closed' ? Promise.resolve() : this.#close(this.deadlineMs)
  }
}

/**
 * Connects to Redis. Returns at once; `ready` waits.
 *
 * @throws {InvalidOptionError} for a target that names no Redis.
 */
export function openLink(target: RedisTarget, { deadlineMs = 250, connectTimeoutMs = 5000, recover, onState, onError }: LinkOptions = {}): OwnLink {
  const tell = (error: unknown) => onError?.(error)
  const connection = openConnection(target, { connectTimeoutMs, onError: tell })
  const breaker = new Breaker({
    connection,
    firstWaitMs: deadlineMs,
    recover: async () => {
      await checkThatItTakesWrites(connection)
      await recover?.(connection)
    },
    onState: (state) => onState?.(state),
    onError: tell,
  })
  breaker.start()
  return new OpenedLink(connection, breaker, deadlineMs)
}

async function checkThatItTakesWrites(connection: RedisConnection): Promise<void> {
  const nodes = await connection.masters()
  const replies = await Promise.all(nodes.map((node) => node.send(['INFO', 'replication'], RECOVERY_TIMEOUT_MS)))
  if (replies.some((reply) => /^role:slave/m.test(String(reply)))) throw new RedisRefusedError('readonly', 'The server is a replica: it takes no writes')
}
