import { RedisTimeoutError } from '../errors/index.js'
import type { RedisConnection, Reply } from './clients/index.js'
import { groupBySlot } from './by-slot.js'

const MOST_KEYS_IN_ONE_COMMAND = 256

interface Request {
  readonly key: string
  resolve(value: Buffer | null): void
  reject(error: unknown): void
}

/**
 * Sends the reads of one tick together: one MGET costs the server and the client little more than one GET. A key that several ask for is asked once. A lone
 * reader does not wait: the tick it is in ends before anything could be sent.
 */
export class BatchReader {
  readonly #connection: RedisConnection
  readonly #slot: (key: string) => number
  #waiting = new Map<string, Request[]>()
  #timeoutMs = 0

  /** @param fullMs What a call that has asked nothing yet may wait. */
  constructor(
    connection: RedisConnection,
    slot: (key: string) => number,
    private readonly fullMs: number,
  ) {
    this.#connection = connection
    this.#slot = slot
  }

  async read(keys: readonly string[], timeoutMs: number): Promise<(Buffer | null)[]> {
    if (this.#waiting.size === 0) process.nextTick(() => this.#flush())
    this.#timeoutMs = Math.max(this.#timeoutMs, timeoutMs)
    const values = Promise.all(keys.map((key) => new Promise<Buffer | null>((resolve, reject) => this.#add({ key, resolve, reject }))))
    // A batch waits as long as the most patient of its readers.
    return timeoutMs < this.fullMs ? withinMs(values, timeoutMs) : values
  }

  #add(request: Request): void {
    const same = this.#waiting.get(request.key)
    if (same === undefined) this.#waiting.set(request.key, [request])
    else same.push(request)
  }

  #flush(): void {
    const waiting = this.#waiting
    const timeoutMs = this.#timeoutMs
    this.#waiting = new Map()
    this.#timeoutMs = 0
    for (const keys of groupBySlot(waiting.keys(), (key) => key, this.#slot)) {
      for (let i = 0; i < keys.length; i += MOST_KEYS_IN_ONE_COMMAND) void this.#send(keys.slice(i, i + MOST_KEYS_IN_ONE_COMMAND), waiting, timeoutMs)
    }
  }

  async #send(keys: readonly string[], waiting: ReadonlyMap<string, readonly Request[]>, timeoutMs: number): Promise<void> {
    try {
      const values = (await this.#connection.send(['MGET', ...keys], { route: keys[0] as string, timeoutMs })) as Reply[]
      keys.forEach((key, i) => {
        const value = values[i]
        for (const request of waiting.get(key) ?? []) request.resolve(Buffer.isBuffer(value) ? value : null)
      })
    } catch (error) {
      for (const key of keys) for (const request of waiting.get(key) ?? []) request.reject(error)
    }
  }
}

function withinMs<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RedisTimeoutError('Redis took longer than the deadline of the call')), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
