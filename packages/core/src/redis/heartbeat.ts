import type { Gate } from '../coherence/index.js'
import type { Bus } from './bus.js'
import type { MasterNode, RedisConnection, Reply } from './clients/index.js'
import type { RedisClock } from './redis-clock.js'
import { heartbeatScript } from './scripts.js'

/** After so long without a read nothing has to be confirmed, and an idle process sends nothing. */
const REST_AFTER_MS = 10_000

export interface HeartbeatSettings {
  readonly connection: RedisConnection
  readonly bus: Bus
  readonly clock: RedisClock
  readonly gate: Gate
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Counts up with every read. */
  reads(): number
  onSuccess(): void
  onFailure(error: unknown): void
  /** The servers that answered, as one string. */
  onRun(run: string): Promise<void>
}

/** Confirms, again and again, that every change up to a moment has arrived here. Relies on no event of any client: those are late, missing or wrong. */
export class Heartbeat {
  readonly #settings: HeartbeatSettings
  #timer: NodeJS.Timeout | undefined
  #readsSeen = 0
  #lastReadAt = 0
  #isWanted = false
  #running = false
  #runByConnection: ReadonlyMap<number, string> = new Map()

  constructor(settings: HeartbeatSettings) {
    this.#settings = settings
  }

  /** Goes on, also if it was resting. Called by reads that memory could not answer. */
  wake(): void {
    if (!this.#running) return
    // No more than that: it comes with every read of Redis.
    this.#isWanted = true
    if (this.#timer === undefined) this.#schedule(0)
  }

  start(): void {
    this.#running = true
    this.#lastReadAt = performance.now()
    this.#schedule(this.#settings.intervalMs)
  }

  stop(): void {
    this.#running = false
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /**
   * Asks for the number of the last change and waits until it has arrived. What is confirmed is the moment of asking: later changes have later numbers.
   */
  async beat(): Promise<void> {
    const { bus, gate, timeoutMs, intervalMs } = this.#settings
    const askedAt = performance.now()
    const { position: positionAsked, interruptions } = bus.sequence
    const number = await this.ask()
    if (positionAsked === undefined || bus.sequence.position === undefined) {
      await bus.listen(timeoutMs)
      return
    }
    if (number < positionAsked) {
      // The counter was lost and begun anew.
      bus.missed()
      bus.recycle()
      return
    }
    const delivery = await bus.sequence.deliveredUpTo(number, interruptions, Math.max(intervalMs / 2, 50))
    if (delivery === 'delivered') gate.confirm(askedAt)
    // An interruption has been seen to already: the next beat confirms what comes after it.
    if (delivery === 'late') {
      bus.missed()
      bus.recycle()
    }
  }

  /** The number of the last change. On the way the clock is learned, and whether it still is the server it was. */
  async ask(): Promise<number> {
    const { connection, bus, clock, timeoutMs, onRun } = this.#settings
    const askedAt = performance.now()
    const [reply, run] = await Promise.all([connection.run(heartbeatScript, [bus.sequenceKey], bus.counter(), timeoutMs) as Promise<Reply[]>, this.#runs()])
    const [number, seconds, micros] = reply.map(Number) as [number, number, number]
    clock.learn(seconds * 1000 + micros / 1000, askedAt)
    await onRun(run)
    return number
  }

  /** Which run of which servers it is: an id that changes with every restart and failover. A connection leads to the same run as long as it lasts. */
  async #runs(): Promise<string> {
    const nodes = await this.#settings.connection.masters()
    const runs = await Promise.all(
      nodes.map(async (node) => {
        // Of before it is asked: should that be lost meanwhile, the next is asked anew.
        const { connection } = node
        return [connection, this.#runByConnection.get(connection) ?? (await this.#runOf(node))] as const
      }),
    )
    this.#runByConnection = new Map(runs.filter(([connection]) => connection > 0))
    return runs.map(([, run]) => run).sort().join(',')
  }

  async #runOf(node: MasterNode): Promise<string> {
    const info = String(await node.send(['INFO', 'server'], this.#settings.timeoutMs))
    return /run_id:(\w+)/.exec(info)?.[1] ?? ''
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => void this.#tick(), ms)
    this.#timer.unref()
  }

  async #tick(): Promise<void> {
    const { reads, intervalMs, onFailure, onSuccess } = this.#settings
    const now = performance.now()
    if (this.#isWanted || reads() !== this.#readsSeen) {
      this.#isWanted = false
      this.#readsSeen = reads()
      this.#lastReadAt = now
    }
    if (now - this.#lastReadAt > REST_AFTER_MS) {
      this.#timer = undefined
      return
    }
    try {
      await this.beat()
      onSuccess()
    } catch (error) {
      onFailure(error)
    }
    if (this.#running) this.#schedule(intervalMs)
  }
}
