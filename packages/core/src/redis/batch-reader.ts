import { RedisTimeoutError } from '../errors/index.js'
import { groupBySlot } from './by-slot.js'
import type { RedisConnection, Reply } from './clients/index.js'

const MOST_KEYS_IN_ONE_COMMAND = 256

/** What Redis has under a list of keys, in their order. Text is made of a value once, however many asked for it. */
export interface BatchedValues {
  bytes(index: number): Buffer | undefined
  text(index: number): string
}

interface Request {
  readonly keys: readonly string[]
  readonly resolve: (values: BatchedValues) => void
  readonly reject: (error: unknown) => void
}

/**
 * Sends the reads of one tick together: one MGET costs the server and the client little more than one GET. A key that several ask for is asked once. A lone
 * reader does not wait: the tick it is in ends before anything could be sent.
 */
export class BatchReader {
  readonly #connection: RedisConnection
  readonly #slot: (key: string) => number
  readonly #fullMs: number
  #waiting: Request[] = []
  #timeoutMs = 0

  /** @param fullMs What a call that has asked nothing yet may wait. */
  constructor(connection: RedisConnection, slot: (key: string) => number, fullMs: number) {
    this.#connection = connection
    this.#slot = slot
    this.#fullMs = fullMs
  }

  read(keys: readonly string[], timeoutMs: number): Promise<BatchedValues> {
    const values = new Promise<BatchedValues>((resolve, reject) => {
      if (this.#waiting.length === 0) process.nextTick(() => this.#flush())
      this.#waiting.push({ keys, resolve, reject })
    })
    this.#timeoutMs = Math.max(this.#timeoutMs, timeoutMs)
    // A batch waits as long as the most patient of its readers.
    return timeoutMs < this.#fullMs ? withinMs(values, timeoutMs) : values
  }

  #flush(): void {
    const requests = this.#waiting
    const timeoutMs = this.#timeoutMs
    this.#waiting = []
    this.#timeoutMs = 0
    const indexes = new Map<string, number>()
    for (const { keys } of requests) for (const key of keys) if (!indexes.has(key)) indexes.set(key, indexes.size)
    void this.#deliver(requests, indexes, timeoutMs)
  }

  async #deliver(requests: readonly Request[], indexes: ReadonlyMap<string, number>, timeoutMs: number): Promise<void> {
    try {
      const values = await this.#fetch([...indexes.keys()], timeoutMs)
      const texts: (string | undefined)[] = []
      for (const { keys, resolve } of requests) resolve(new Values(keys, indexes, values, texts))
    } catch (error) {
      for (const { reject } of requests) reject(error)
    }
  }

  async #fetch(keys: readonly string[], timeoutMs: number): Promise<readonly Reply[]> {
    if (this.#connection.kind === 'standalone' && keys.length <= MOST_KEYS_IN_ONE_COMMAND) return this.#send(keys, timeoutMs)
    const parts: { key: string; index: number }[][] = []
    const numbered = keys.map((key, index) => ({ key, index }))
    for (const group of groupBySlot(numbered, ({ key }) => key, this.#slot)) {
      for (let i = 0; i < group.length; i += MOST_KEYS_IN_ONE_COMMAND) parts.push(group.slice(i, i + MOST_KEYS_IN_ONE_COMMAND))
    }
    const values: Reply[] = Array.from({ length: keys.length })
    await Promise.all(
      parts.map(async (part) => {
        const replies = await this.#send(part.map(({ key }) => key), timeoutMs)
        part.forEach(({ index }, i) => (values[index] = replies[i] ?? null))
      }),
    )
    return values
  }

  async #send(keys: readonly string[], timeoutMs: number): Promise<readonly Reply[]> {
    return (await this.#connection.send(['MGET', ...keys], { route: keys[0] as string, timeoutMs })) as Reply[]
  }
}

/** One request's part of a batch. */
class Values implements BatchedValues {
  constructor(
    readonly keys: readonly string[],
    readonly indexes: ReadonlyMap<string, number>,
    readonly values: readonly Reply[],
    /** Shared by all requests of the batch. */
    readonly texts: (string | undefined)[],
  ) {}

  bytes(index: number): Buffer | undefined {
    const value = this.values[this.#at(index)]
    return Buffer.isBuffer(value) ? value : undefined
  }

  text(index: number): string {
    const at = this.#at(index)
    return (this.texts[at] ??= this.bytes(index)?.toString() ?? '')
  }

  #at(index: number): number {
    return this.indexes.get(this.keys[index] as string) as number
  }
}

function withinMs<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RedisTimeoutError('Redis took longer than the deadline of the call')), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
