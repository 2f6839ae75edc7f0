import { ClusterConnection } from './cluster.js'
import { dialerFor } from './dialer.js'
import type { ConnectionOptions, RedisConnection } from './redis-connection.js'
import { ServerConnection } from './server.js'
import { resolveTarget, type RedisTarget } from './target.js'

export type { Reply } from './reply.js'
export { defineScript } from './script.js'
export type { Subscription, SubscriptionHandlers } from './subscription.js'
export type { MasterNode, RedisConnection } from './redis-connection.js'
export type { RedisOptions, RedisTarget } from './target.js'

/**
 * Returns at once; connecting goes on in the background.
 *
 * @throws {InvalidOptionError} for a target that names no Redis, or a kind of client that cannot serve as a template.
 */
export function openConnection(target: RedisTarget, options: ConnectionOptions): RedisConnection {
  const dialer = dialerFor(resolveTarget(target), options.connectTimeoutMs)
  return dialer.roots === undefined ? new ServerConnection(dialer, options) : new ClusterConnection(dialer, dialer.roots, options)
}
