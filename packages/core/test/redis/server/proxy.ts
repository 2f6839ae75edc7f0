import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** `up` is from client to server, `down` from server to client. */
export type Direction = 'up' | 'down'

/**
 * Starts a proxy on the loopback interface in front of a port, that fails as networks do. What passes stays strictly in
 * order, in each direction of each connection: a proxy that reorders makes clients look broken that are not.
 */
export async function startProxy(targetPort: number): Promise<FaultProxy> {
  const proxy = new FaultProxy(targetPort)
  await proxy.listen()
  return proxy
}

export class FaultProxy {
  port = 0
  /** How many pieces of data came in, by direction. */
  readonly chunks: Record<Direction, number> = { up: 0, down: 0 }
  /** How many connections were accepted. */
  accepted = 0

  readonly #targetPort: number
  readonly #lanes = new Set<Lane>()
  readonly #held = new Set<Direction>()
  #delayMs = 0
  #server: Server | undefined

  constructor(targetPort: number) {
    this.#targetPort = targetPort
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** How many connections are open. */
  get open(): number {
    return this.#lanes.size / 2
  }

  async listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (client) => this.#accept(client))
    server.unref()
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Breaks all connections and accepts no more. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
    this.reset()
  }

  /** Breaks all connections, with RST. New ones are welcome. */
  reset(): void {
    for (const lane of this.#lanes) lane.break()
  }

  /** Nothing passes any more in that direction, or in both, on old connections and new ones, and nobody is told. `heal` lets it all pass, in order. */
  blackhole(direction: Direction | 'both' = 'both'): void {
    for (const one of direction === 'both' ? (['up', 'down'] as const) : [direction]) this.#held.add(one)
  }

  /** Everything takes so much longer from now on. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Takes back whatever was done. */
  async heal(): Promise<void> {
    this.#held.clear()
    this.#delayMs = 0
    for (const lane of this.#lanes) lane.pump()
    if (this.#server === undefined) await this.listen()
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.refuse()
    if (server !== undefined && server.listening) await once(server, 'close')
  }

  #accept(client: Socket): void {
    this.accepted++
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true })
    const lanes = [this.#lane('up', client, server), this.#lane('down', server, client)]
    for (const socket of [client, server]) {
      socket.unref()
      socket.on('error', () => {})
      socket.on('close', (hadError) => {
        for (const lane of lanes) {
          if (hadError) lane.break()
          if (lane.isOver) this.#lanes.delete(lane)
        }
      })
    }
  }

  #lane(direction: Direction, from: Socket, to: Socket): Lane {
    const lane = new Lane(from, to, {
      isHeld: () => this.#held.has(direction),
      delayMs: () => this.#delayMs,
      onChunk: () => {
        this.chunks[direction]++
      },
    })
    this.#lanes.add(lane)
    return lane
  }
}

interface LaneRules {
  isHeld(): boolean
  delayMs(): number
  onChunk(): void
}

/** One direction of one connection: first in, first out, and only the head may wait. */
class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #rules: LaneRules
  readonly #queue: { readonly chunk: Buffer | undefined; readonly due: number }[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(from: Socket, to: Socket, rules: LaneRules) {
    this.#from = from
    this.#to = to
    this.#rules = rules
    from.on('data', (chunk) => {
      rules.onChunk()
      this.#add(chunk)
    })
    // The end of a stream keeps its place behind the data.
    from.on('end', () => this.#add(undefined))
  }

  get isOver(): boolean {
    return this.#from.destroyed && this.#to.destroyed
  }

  pump(): void {
    clearTimeout(this.#timer)
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (this.#rules.isHeld()) return
      const wait = this.#rules.delayMs() === 0 ? 0 : head.due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), wait)
        return
      }
      this.#queue.shift()
      if (this.#to.destroyed) continue
      if (head.chunk === undefined) this.#to.end()
      else this.#to.write(head.chunk)
    }
  }

  break(): void {
    clearTimeout(this.#timer)
    this.#queue.length = 0
    for (const socket of [this.#from, this.#to]) if (!socket.destroyed) socket.resetAndDestroy()
  }

  #add(chunk: Buffer | undefined): void {
    this.#queue.push({ chunk, due: performance.now() + this.#rules.delayMs() })
    this.pump()
  }
}
