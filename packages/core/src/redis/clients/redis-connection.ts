import type { RedisError } from '../../errors/index.js'
import type { Argument, Reply } from './reply.js'
import type { Script } from './script.js'
import type { Subscription, SubscriptionHandlers } from './subscription.js'

/** A server that takes writes, for what concerns a server rather than a key: SCAN, INFO. */
export interface MasterNode {
  /** Stays the same for a server as long as it lives. */
  readonly id: string
  /** The number of the connection to it, in the order they were made in this process; 0 before the first. A server that was restarted is reached by another one only. */
  readonly connection: number
  send(args: readonly Argument[], timeoutMs: number): Promise<Reply>
}

/**
 * A connection to Redis, the same for every client.
 *
 * It connects, and connects again, for ever and by itself. A command is sent once: when the connection is lost before the
 * reply came, the call fails and nobody knows whether it was executed. A call fails at once while Redis is down; only
 * while the very first attempt to connect is under way does it wait. Every rejection is a {@link RedisError}.
 *
 * An open connection keeps the process alive, as a socket does, and so does an attempt to make one; the pauses between
 * attempts do not, nor does anything after `close`.
 */
export interface RedisConnection {
  readonly kind: 'standalone' | 'cluster'
  /** True between a successful handshake and the first sign of trouble. A hint: what is sent next may fail all the same. */
  readonly isUp: boolean
  /** The number of the newest connection that commands go over, as {@link MasterNode.connection} has it. */
  readonly newest: number
  /** `route` is the key whose slot decides the node in a cluster. Settles within `timeoutMs`, whatever the client does. */
  send(args: readonly Argument[], options: { route: string; timeoutMs: number }): Promise<Reply>
  /** EVALSHA, and EVAL where the server does not know the script. All keys are of one slot. */
  run(script: Script, keys: readonly string[], args: readonly Argument[], timeoutMs: number): Promise<Reply>
  /**
   * Subscribes on a connection of its own, without a `channel` to what is added later. Resolves when the server has acknowledged it, however long that takes; rejects
   * only when the connection is closed before. After each reconnection `onSubscribed` is called after the acknowledgement.
   */
  subscribe(channel: string | undefined, handlers: SubscriptionHandlers): Promise<Subscription>
  /** One per master, never replicas. Rejects while a cluster's nodes are not known. */
  masters(): Promise<readonly MasterNode[]>
  /** Drops the data connections and makes new ones: for those that look open and lead nowhere. Subscriptions are not touched. */
  recycle(): void
  /** The same for those only that have given nothing since they were asked something, a second ago or more. A cluster is asked anew who serves what. */
  recycleSilent(): void
  /** Ends everything, subscriptions too. What is in flight has `timeoutMs` to finish, then it fails. */
  close(timeoutMs: number): Promise<void>
}

export interface ConnectionOptions {
  /** How long an attempt to connect, handshake included, may take, in ms. */
  readonly connectTimeoutMs: number
  /** What went wrong in the background: once per series of equal failures. */
  onError(error: RedisError): void
}
