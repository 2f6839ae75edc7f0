import { Line } from './line.js'
import type { ConnectionOptions, MasterNode, RedisConnection } from './redis-connection.js'
import type { Argument, Reply } from './reply.js'
import { runScript, type Script } from './script.js'
import type { Subscription, SubscriptionHandlers } from './subscription.js'
import { Subscriptions } from './subscriptions.js'
import type { Dialer } from './wire.js'

/** One server, or whatever Sentinels name at the moment. */
export class ServerConnection implements RedisConnection {
  readonly kind = 'standalone'
  readonly #dialer: Dialer
  readonly #line: Line
  readonly #subscriptions: Subscriptions
  readonly #masters: readonly MasterNode[]

  constructor(dialer: Dialer, options: ConnectionOptions) {
    const { where } = dialer
    this.#dialer = dialer
    this.#line = new Line({
      where,
      connectTimeoutMs: options.connectTimeoutMs,
      dial: (lost) => dialer.dial(lost),
      onError: (error) => options.onError(error),
    })
    this.#subscriptions = new Subscriptions(where, options)
    this.#masters = [this.#line]
  }

  get isUp(): boolean {
    return this.#line.isUp
  }

  get newest(): number {
    return this.#line.connection
  }

  send(args: readonly Argument[], { timeoutMs }: { route: string; timeoutMs: number }): Promise<Reply> {
    return this.#line.send(args, timeoutMs)
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[], timeoutMs: number): Promise<Reply> {
    return runScript((command, ms) => this.#line.send(command, ms), script, keys, args, timeoutMs)
  }

  subscribe(channel: string | undefined, handlers: SubscriptionHandlers): Promise<Subscription> {
    return this.#subscriptions.add(channel, handlers, (lost) => this.#dialer.dial(lost))
  }

  masters(): Promise<readonly MasterNode[]> {
    return Promise.resolve(this.#masters)
  }

  recycle(): void {
    this.#line.recycle()
  }

  recycleSilent(): void {
    this.#line.recycleIfSilent()
  }

  async close(timeoutMs: number): Promise<void> {
    this.#subscriptions.close()
    await this.#line.close(timeoutMs)
  }
}
