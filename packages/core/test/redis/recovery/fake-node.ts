import type { Argument, Reply } from '../../../src/redis/clients/reply.js'
import type { ChannelName, Wire } from '../../../src/redis/clients/wire.js'

type Condition = 'up' | 'refusing' | 'hanging'

/** A server that exists in a test only, and the way to it. All its time is the test's. */
export class FakeNode {
  readonly host = 'fake'
  /** What connecting takes while it is up, in ms. */
  greetingMs = 1
  condition: Condition = 'up'
  readonly #wires = new Set<FakeWire>()
  readonly #answer: (args: readonly string[]) => Reply

  constructor(
    readonly port: number,
    answer: (args: readonly string[]) => Reply,
  ) {
    this.#answer = answer
  }

  dial(lost: (reason: unknown) => void): Wire {
    const wire: FakeWire = new FakeWire(this, lost, () => this.#wires.delete(wire))
    this.#wires.add(wire)
    return wire
  }

  answer(args: readonly Argument[]): Reply {
    return this.#answer(args.map(String))
  }

  /** As a process that is killed: all are told. */
  die(): void {
    this.condition = 'refusing'
    for (const wire of this.#wires) wire.lose()
  }

  /** Nothing gets through, and nobody is told. What is sent meanwhile is lost for good, and so is the wire that it was sent over. */
  hang(): void {
    this.condition = 'hanging'
  }

  comeBack(): void {
    this.condition = 'up'
  }

  publish(message: Buffer): void {
    for (const wire of this.#wires) wire.hear(message)
  }
}

class FakeWire implements Wire {
  readonly #node: FakeNode
  readonly #lost: (reason: unknown) => void
  readonly #dropped: () => void
  readonly #listeners: ((message: Buffer, channel: string) => void)[] = []
  #isDeaf = false

  constructor(node: FakeNode, lost: (reason: unknown) => void, dropped: () => void) {
    this.#node = node
    this.#lost = lost
    this.#dropped = dropped
  }

  async open(): Promise<void> {
    await this.#through()
    await new Promise((resolve) => setTimeout(resolve, this.#node.greetingMs))
    await this.#through()
  }

  async send(args: readonly Argument[]): Promise<Reply> {
    await this.#through()
    return this.#node.answer(args)
  }

  async subscribe({ name }: ChannelName, onMessage: (message: Buffer, channel: string) => void): Promise<void> {
    await this.#through()
    this.#listeners.push((message) => onMessage(message, name))
  }

  async unsubscribe(): Promise<void> {
    await this.#through()
  }

  drop(): void {
    this.#isDeaf = true
    this.#dropped()
  }

  lose(): void {
    this.drop()
    this.#lost(Object.assign(new Error('broken'), { code: 'ECONNRESET' }))
  }

  hear(message: Buffer): void {
    if (this.#isDeaf) return
    if (this.#node.condition !== 'up') this.#isDeaf = true
    else for (const listener of this.#listeners) listener(message, '')
  }

  async #through(): Promise<void> {
    if (this.#node.condition === 'refusing') throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    if (this.#node.condition === 'hanging') this.#isDeaf = true
    if (this.#isDeaf) await new Promise<never>(() => {})
  }
}
