import { RedisUnavailableError, type RedisError } from '../../errors/index.js'
import { nameOf, type Address } from './address.js'
import { backoff } from './backoff.js'
import { startDeadline } from './deadline.js'
import { firstOf } from './first-of.js'
import { Line } from './line.js'
import { RedisRedirect } from './redaction.js'
import type { ConnectionOptions, MasterNode, RedisConnection } from './redis-connection.js'
import type { Argument, Reply } from './reply.js'
import { runScript, type Script } from './script.js'
import { slotOf } from './slot.js'
import type { Subscription, SubscriptionHandlers } from './subscription.js'
import { Subscriptions } from './subscriptions.js'
import { readSlots, type ClusterNode, type SlotRange } from './topology.js'
import type { Dialer } from './wire.js'

/** A key that is redirected this often is being moved about, or the nodes disagree. */
const MOST_REDIRECTS = 5

/** So long a node may take to tell who serves which slots, before the next one is asked as well. */
const PATIENCE_WITH_A_NODE_MS = 500

const ignore = () => {}

interface Node extends ClusterNode {
  readonly line: Line
}

/**
 * A cluster: one line per master, and a table of which serves which slot.
 *
 * Both clients have clusters of their own. They repeat commands, queue them, split them by key and count slots in ways
 * that differ and cannot all be switched off, so only their connections to single nodes are used, and routing is here. A
 * redirected command is sent again: the node that redirected it has not executed it.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding
 */
export class ClusterConnection implements RedisConnection {
  readonly kind = 'cluster'
  readonly #dialer: Dialer
  readonly #roots: readonly Address[]
  readonly #options: ConnectionOptions
  readonly #subscriptions: Subscriptions
  /** By where they listen. */
  #nodes = new Map<string, Node>()
  #masters: readonly ClusterNode[] = []
  /** The master of each slot. */
  #owners: readonly (ClusterNode | undefined)[] = []
  /** Settles with the first attempt to find the cluster. */
  #found: Promise<void>
  #refreshing: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  #down: RedisError
  #reported = ''
  #closed = false

  constructor(dialer: Dialer, roots: readonly Address[], options: ConnectionOptions) {
    this.#dialer = dialer
    this.#roots = roots
    this.#options = options
    this.#subscriptions = new Subscriptions(dialer.where, options)
    this.#down = new RedisUnavailableError(`${dialer.where}: not connected`)
    this.#found = this.#refresh()
  }

  get isUp(): boolean {
    if (this.#closed || this.#masters.length === 0) return false
    for (const { line } of this.#nodes.values()) if (!line.isUp) return false
    return true
  }

  get newest(): number {
    let newest = 0
    for (const { line } of this.#nodes.values()) newest = Math.max(newest, line.connection)
    return newest
  }

  async send(args: readonly Argument[], { route, timeoutMs }: { route: string; timeoutMs: number }): Promise<Reply> {
    const due = performance.now() + timeoutMs
    if (this.#masters.length === 0) await this.#firstFound(timeoutMs)
    const slot = slotOf(route)
    let node = this.#ownerOf(slot)
    let asking = false
    for (let redirects = 0; ; redirects++) {
      const left = due - performance.now()
      try {
        // Both in one turn, so that nothing comes between them on the wire.
        if (asking) node.line.send(['ASKING'], left).catch(() => {})
        return await node.line.send(args, left)
      } catch (error) {
        if (!(error instanceof RedisRedirect) || redirects >= MOST_REDIRECTS) throw error
        asking = error.kind === 'ASK'
        if (!asking) void this.#refresh()
        node = this.#nodeAt({ host: error.host === '' ? node.host : error.host, port: error.port })
      }
    }
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[], timeoutMs: number): Promise<Reply> {
    const route = keys[0] ?? ''
    return runScript((command, ms) => this.send(command, { route, timeoutMs: ms }), script, keys, args, timeoutMs)
  }

  /** The bus of the cluster carries a message to every node; the owner of the channel's slot is where scripts publish it. */
  subscribe(channel: string | undefined, handlers: SubscriptionHandlers): Promise<Subscription> {
    const slot = channel === undefined ? 0 : slotOf(channel)
    let attempt = 0
    const counting: SubscriptionHandlers = {
      onMessage: (...message) => handlers.onMessage(...message),
      onSubscribed: () => {
        attempt = 0
        handlers.onSubscribed()
      },
      onLost: () => handlers.onLost(),
    }
    return this.#subscriptions.add(channel, counting, async (lost) => {
      if (this.#masters.length === 0) await this.#found
      const owner = this.#owners[slot]
      // When it cannot be reached, any other will do.
      const choices: readonly Address[] = [...(owner === undefined ? [] : [owner]), ...this.#nodes.values(), ...this.#roots]
      const choice = choices[attempt++ % choices.length]
      if (choice === undefined) throw this.#whileDown()
      return await this.#dialer.dial(lost, choice)
    })
  }

  async masters(): Promise<readonly MasterNode[]> {
    if (this.#masters.length === 0) await this.#firstFound(this.#options.connectTimeoutMs)
    return this.#masters.map((master) => this.#nodeAt(master).line)
  }

  recycle(): void {
    for (const { line } of this.#nodes.values()) line.recycle()
    void this.#refresh()
  }

  recycleSilent(): void {
    for (const { line } of this.#nodes.values()) line.recycleIfSilent()
    // One that hangs says nothing, also when another node has taken its slots over.
    void this.#refresh()
  }

  async close(timeoutMs: number): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#subscriptions.close()
    await Promise.all(Array.from(this.#nodes.values(), ({ line }) => line.close(timeoutMs)))
  }

  async #firstFound(timeoutMs: number): Promise<void> {
    let stopWaiting = () => {}
    const late = new Promise<void>((resolve) => {
      stopWaiting = startDeadline(timeoutMs, resolve)
    })
    await Promise.race([this.#found, late])
    stopWaiting()
    if (this.#masters.length === 0) throw this.#whileDown()
  }

  #ownerOf(slot: number): Node {
    if (this.#closed) throw this.#whileDown()
    const owner = this.#owners[slot]
    if (owner === undefined) throw new RedisUnavailableError(`${this.#dialer.where}: no node serves slot ${slot}`)
    return this.#nodeAt(owner)
  }

  #nodeAt(address: Address & { readonly id?: string }): Node {
    const name = nameOf(address)
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    if (this.#closed) throw this.#whileDown()
    const line = this.#lineTo(
      address,
      (error) => this.#options.onError(error),
      // Perhaps another node has taken its slots over.
      () => this.#refreshLater(),
    )
    const node: Node = { host: address.host, port: address.port, id: address.id ?? name, line }
    this.#nodes.set(name, node)
    return node
  }

  #lineTo(address: Address, onError: (error: RedisError) => void, onDown: () => void): Line {
    const { connectTimeoutMs } = this.#options
    return new Line({ where: `Redis at ${nameOf(address)}`, connectTimeoutMs, dial: (lost) => this.#dialer.dial(lost, address), onError, onDown })
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#readTopology().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  #refreshLater(): void {
    if (this.#closed || this.#retry !== undefined || this.#refreshing !== undefined) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.#refresh()
    }, backoff(++this.#failures)).unref()
  }

  /** Asks one node after another, those that are up first, until one knows the slots. One that hangs does not hold the next ones up. Never rejects. */
  async #readTopology(): Promise<void> {
    const up = Array.from(this.#nodes.values()).filter(({ line }) => line.isUp)
    const own: Line[] = []
    const lineOf = (node: Node | Address) => {
      if ('line' in node) return node.line
      const line = this.#lineTo(node, ignore, ignore)
      own.push(line)
      return line
    }
    try {
      const tries = [...up, ...this.#roots].map((node) => () => this.#slotsFrom(lineOf(node), node))
      if (tries.length === 0) throw this.#down
      this.#adopt(await firstOf(tries, PATIENCE_WITH_A_NODE_MS))
    } catch (error) {
      this.#report((this.#down = error as RedisError))
      // Not from here: this very refresh is still under way.
      setImmediate(() => this.#refreshLater())
    } finally {
      await Promise.all(own.map((line) => line.close(0)))
    }
  }

  async #slotsFrom(line: Line, node: Address): Promise<readonly SlotRange[]> {
    if (this.#closed) throw this.#whileDown()
    const ranges = readSlots(await line.send(['CLUSTER', 'SLOTS'], this.#options.connectTimeoutMs), node)
    if (ranges.length === 0) throw new RedisUnavailableError(`${this.#dialer.where}: no slot of the cluster is served`)
    return ranges
  }

  #adopt(ranges: readonly SlotRange[]): void {
    if (this.#closed) return
    this.#reported = ''
    const owners: ClusterNode[] = []
    const masters = new Map<string, ClusterNode>()
    for (const { first, last, master } of ranges) {
      const owner = masters.get(master.id) ?? master
      masters.set(master.id, owner)
      for (let slot = first; slot <= last; slot++) owners[slot] = owner
    }
    this.#owners = owners
    this.#masters = [...masters.values()]
    const kept = new Map<string, Node>()
    for (const master of this.#masters) kept.set(nameOf(master), this.#nodeAt(master))
    const gone = Array.from(this.#nodes).filter(([name]) => !kept.has(name))
    this.#nodes = kept
    for (const [, { line }] of gone) void line.close(this.#options.connectTimeoutMs)
    const lines = Array.from(kept.values(), ({ line }) => line)
    if (lines.every((line) => line.isUp)) this.#failures = 0
  }

  #report(error: RedisError): void {
    if (error.message === this.#reported || this.#closed) return
    this.#reported = error.message
    this.#options.onError(error)
  }

  #whileDown(): RedisError {
    return this.#closed ? new RedisUnavailableError(`${this.#dialer.where}: the connection was closed`) : this.#down
  }
}
