import { Breaker, type RedisState } from '../../../src/redis/breaker.js'
import { Bus } from '../../../src/redis/bus.js'
import { ClusterConnection } from '../../../src/redis/clients/cluster.js'
import type { RedisConnection, Reply } from '../../../src/redis/clients/index.js'
import { ServerConnection } from '../../../src/redis/clients/server.js'
import type { Address } from '../../../src/redis/clients/address.js'
import { FakeNode } from './fake-node.js'

const SLOTS = 16_384
const CONNECT_TIMEOUT_MS = 5000
const noChange = () => {}

/** One process, and the Redis it uses, without a network: what recovers here is all that recovers elsewhere, the clients excepted. */
export class FakeWorld {
  /** Masters, in the order of their slots. */
  readonly nodes: readonly FakeNode[]
  /** Serves nothing until it takes over. */
  readonly standby: FakeNode
  readonly connection: RedisConnection
  readonly breaker: Breaker
  readonly errors: unknown[] = []
  #messages = 0
  /** What replaces whom. */
  readonly #successors = new Map<FakeNode, FakeNode>()
  #whenUp: (() => void) | undefined

  constructor(kind: 'standalone' | 'cluster') {
    const count = kind === 'cluster' ? 3 : 1
    this.nodes = Array.from({ length: count }, (_, index) => new FakeNode(index, (args) => this.#answer(args)))
    this.standby = new FakeNode(count, (args) => this.#answer(args))
    const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS, onError: (error: unknown) => void this.errors.push(error) }
    const dial = (lost: (reason: unknown) => void, { port }: Address = { host: 'fake', port: 0 }) => this.#node(port).dial(lost)
    this.connection = kind === 'cluster' ? new ClusterConnection({ where: 'fake', dial }, [...this.nodes, this.standby], options) : new ServerConnection({ where: 'fake', dial }, options)
    const bus = new Bus(this.connection, 'channel', 'sequence', undefined, { sequence: true, hello: true }, { onChange: noChange, onGap: noChange, onForeign: noChange, onLost: noChange })
    this.breaker = new Breaker({
      connection: this.connection,
      firstWaitMs: 250,
      recover: async () => {
        await bus.listen(1000)
        const masters = await this.connection.masters()
        await Promise.all(masters.map((master) => master.send(['INFO'], 250)))
      },
      onState: (state) => this.#onState(state),
      onError: options.onError,
    })
    this.breaker.start()
  }

  get state(): RedisState {
    return this.breaker.state
  }

  /** When it is used again, as `performance.now()` has it. */
  up(): Promise<number> {
    return new Promise((resolve) => {
      this.#whenUp = () => resolve(performance.now())
      if (this.state === 'up') this.#whenUp()
    })
  }

  /** The cluster gives a node's slots to the one that stands by. */
  takeOver(node: FakeNode): void {
    this.#successors.set(node, this.standby)
  }

  async close(): Promise<void> {
    this.breaker.close()
    await this.connection.close(0)
  }

  #node(port: number): FakeNode {
    const node = [...this.nodes, this.standby][port]
    if (node === undefined) throw new Error(`no node ${port}`)
    return node
  }

  #onState(state: RedisState): void {
    if (state === 'up') this.#whenUp?.()
  }

  #answer(args: readonly string[]): Reply {
    if (args[0] === 'CLUSTER') return this.#slots()
    // The one script there is here announces a message.
    if (args[0] === 'EVALSHA') for (const node of [...this.nodes, this.standby]) node.publish(Buffer.from(`${++this.#messages}|${args[5]}`))
    return 'OK'
  }

  #slots(): Reply {
    const first = (index: number) => Math.floor((SLOTS * index) / this.nodes.length)
    return this.nodes.map((node, index): Reply => {
      const { host, port } = this.#successors.get(node) ?? node
      return [first(index), first(index + 1) - 1, [host, port, `node ${port}`]]
    })
  }
}
