import { RedisTimeoutError, RedisUnavailableError } from '../../../../src/errors/index.js'
import { slotOf, type MasterNode, type RedisConnection, type Reply, type Subscription, type SubscriptionHandlers } from '../../../../src/redis/clients/index.js'
import type { Argument } from '../../../../src/redis/clients/reply.js'
import type { Script } from '../../../../src/redis/clients/script.js'
import * as scripts from '../../../../src/redis/scripts.js'
import type { BusTap } from './bus-tap.js'
import { MessageQueue } from './message-queue.js'
import { Turnstile, type Held } from './turnstile.js'

const namesOfScripts = new Map(Object.entries(scripts).map(([name, script]) => [script, name.replace(/Script$/, '')]))

/** What lies between one process and Redis. Lets everything through, in order, but for what a test holds back, fails or loses. */
export class Link implements RedisConnection {
  readonly #server: RedisConnection
  readonly #tap: BusTap
  /** Names of the commands that were sent, in order. */
  readonly sent: string[] = []
  /** What a cluster would have refused, and what handling a message threw. */
  readonly faults: unknown[] = []
  readonly messages = new MessageQueue((message) => this.#deliver(message))
  /** Nothing gets through, and the process is told so. */
  isCut = false
  /** Counts the connections for commands. */
  newest = 0
  /** Asked before each command. */
  beforeStart: (name: string) => Promise<unknown> | undefined = () => undefined
  /** Asked before each reply. */
  beforeReply: (name: string) => Promise<unknown> | undefined = () => undefined
  #starts = new Turnstile()
  #replies = new Turnstile()
  /** Ends of the queues that the commands of one connection stand in. */
  #lastStart = new Map<number, Promise<unknown>>()
  #lastReply = new Map<number, Promise<unknown>>()
  /** How many commands are with Redis now. */
  atRedis = 0
  #unanswered = new Set<(error: Error) => void>()
  #handlers: SubscriptionHandlers | undefined

  constructor(
    server: RedisConnection,
    tap: BusTap,
    readonly kind: 'standalone' | 'cluster' = 'standalone',
  ) {
    this.#server = server
    this.#tap = tap
  }

  get isUp(): boolean {
    return !this.isCut
  }

  /** Holds the next command of that name back, and with it all that the process sends after it. */
  holdCommand(name: string): Held {
    return this.#starts.expect(name)
  }

  /** Holds the reply to the next command of that name back, and with it all replies after it. */
  holdReply(name: string): Held {
    return this.#replies.expect(name)
  }

  /** Commands fail from now on, those under way too. */
  cut(): void {
    this.isCut = true
    this.recycle()
  }

  mend(): void {
    this.isCut = false
  }

  /** The subscription breaks, and is not made again before `resubscribe`. */
  loseSubscription(): void {
    this.messages.isDeaf = true
    this.messages.loseAll()
    this.#handlers?.onLost()
  }

  resubscribe(): void {
    this.messages.isDeaf = false
    this.#handlers?.onSubscribed()
  }

  send(args: readonly Argument[], { route, timeoutMs }: { route: string; timeoutMs: number }): Promise<Reply> {
    const keys = args[0] === 'MGET' ? args.slice(1).map(String) : [route]
    return this.#pass(String(args[0]), keys, timeoutMs, () => this.#server.send(args, { route, timeoutMs }))
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[], timeoutMs: number): Promise<Reply> {
    return this.#pass(namesOfScripts.get(script) ?? 'unknown', keys, timeoutMs, () => this.#server.run(script, keys, args, timeoutMs))
  }

  async masters(): Promise<readonly MasterNode[]> {
    const nodes = await this.#server.masters()
    return nodes.map((node) => ({ id: node.id, connection: node.connection, send: (args, timeoutMs) => this.#pass(String(args[0]), [], timeoutMs, () => node.send(args, timeoutMs)) }))
  }

  async subscribe(channel: string | undefined, handlers: SubscriptionHandlers): Promise<Subscription> {
    const stop = await this.#tap.listen(channel ?? '', (message) => this.messages.arrive(message))
    this.#handlers = handlers
    handlers.onSubscribed()
    return {
      add: () => Promise.resolve(),
      remove: () => {},
      recycle: () => {
        if (this.#handlers === undefined) return
        const wasDeaf = this.messages.isDeaf
        this.loseSubscription()
        if (!wasDeaf) setImmediate(() => this.resubscribe())
      },
      close: () => {
        this.#handlers = undefined
        stop()
      },
    }
  }

  recycle(): void {
    for (const fail of this.#unanswered) fail(new RedisUnavailableError('the connection was replaced'))
    this.#lastStart.clear()
    this.#lastReply.clear()
  }

  /** What is held back here is not silent: the test decides how long. */
  recycleSilent(): void {}

  close(): Promise<void> {
    this.recycle()
    this.messages.isDeaf = true
    return Promise.resolve()
  }

  #deliver(message: Buffer): void {
    try {
      this.#handlers?.onMessage(message, '', undefined)
    } catch (error) {
      this.faults.push(error)
    }
  }

  /** The reply, after what was announced before it has been heard. */
  async #answerTo(go: () => Promise<Reply>): Promise<Reply> {
    this.atRedis++
    try {
      return await go()
    } finally {
      await this.#tap.caughtUp().finally(() => this.atRedis--)
    }
  }

  #pass(name: string, keys: readonly string[], timeoutMs: number, go: () => Promise<Reply>): Promise<Reply> {
    if (this.isCut) return Promise.reject(new RedisUnavailableError('the link is cut'))
    const slots = new Set(keys.map(slotOf))
    if (this.kind === 'cluster' && slots.size > 1) this.faults.push(new Error(`CROSSSLOT: ${name} ${keys.join(' ')}`))
    // To one server there is one connection, on which nothing overtakes.
    const line = this.kind === 'cluster' ? ([...slots][0] ?? -1) : -1
    const before = this.#lastStart.get(line)
    const beforeReply = this.#lastReply.get(line)
    let givenUp = false
    const start = (async () => {
      await before
      await this.#starts.pass(name)
      await this.beforeStart(name)
      if (givenUp) throw new RedisUnavailableError('never sent')
      this.sent.push(name)
    })()
    const reply = (async () => {
      await start
      const answer = await this.#answerTo(go)
      await beforeReply
      await this.#replies.pass(name)
      await this.beforeReply(name)
      return answer
    })()
    this.#lastStart.set(line, start.catch(() => {}))
    this.#lastReply.set(line, reply.catch(() => {}))
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        this.#unanswered.delete(lose)
      }
      const lose = (error: Error) => {
        givenUp = true
        settle()
        reject(error)
      }
      // What was sent and is only late will be executed all the same, as on a real connection.
      const timer = setTimeout(() => {
        settle()
        reject(new RedisTimeoutError('no reply in time'))
      }, timeoutMs)
      this.#unanswered.add(lose)
      void reply.finally(settle).then(resolve, reject)
    })
  }
}
