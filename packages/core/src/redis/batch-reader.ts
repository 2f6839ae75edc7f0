import { RedisTimeoutError } from '../errors/index.js'
import { groupBySlot } from './by-slot.js'
import type { RedisConnection, Reply } from './clients/index.js'

const MOST_KEYS_IN_ONE_COMMAND = 512

/**
 * Sends reads together: one MGET costs the server and the client little more than one GET. A lone reader does not wait, for the tick it is in ends before anything could
 * be sent. While an answer is on its way there are others, and what is asked until the end of the turn leaves together.
 */
export class BatchReader {
  readonly #connection: RedisConnection
  readonly #slot: (key: string) => number
  readonly #fullMs: number
  #open: Batch | undefined
  #underway = 0

  /** @param fullMs What a call that has asked nothing yet may wait. */
  constructor(connection: RedisConnection, slot: (key: string) => number, fullMs: number) {
    this.#connection = connection
    this.#slot = slot
    this.#fullMs = fullMs
  }

  /** The batch that leaves next. It waits as long as the most patient of its readers. */
  join(timeoutMs: number): Batch {
    let batch = this.#open
    if (batch === undefined) {
      batch = this.#open = new Batch(this.#fullMs)
      if (this.#underway === 0) process.nextTick(this.#leave)
      else setImmediate(this.#leave)
    }
    if (timeoutMs > batch.timeoutMs) batch.timeoutMs = timeoutMs
    return batch
  }

  readonly #leave = async (): Promise<void> => {
    const batch = this.#open as Batch
    this.#open = undefined
    this.#underway++
    try {
      batch.arrive(await this.#fetch(batch.keys, batch.timeoutMs))
    } catch (error) {
      batch.fail(error)
    } finally {
      this.#underway--
    }
  }

  #fetch(keys: readonly string[], timeoutMs: number): Promise<readonly Reply[]> {
    return this.#connection.kind === 'standalone' && keys.length <= MOST_KEYS_IN_ONE_COMMAND ? this.#send(keys, timeoutMs) : this.#fetchInParts(keys, timeoutMs)
  }

  async #fetchInParts(keys: readonly string[], timeoutMs: number): Promise<readonly Reply[]> {
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

  #send(keys: readonly string[], timeoutMs: number): Promise<readonly Reply[]> {
    return this.#connection.send(['MGET', ...keys], { route: keys[0] as string, timeoutMs }) as Promise<Reply[]>
  }
}

/** What is asked together, and the answer. A key that several ask for is asked once. */
export class Batch {
  readonly keys: string[] = []
  timeoutMs = 0
  /** When the answer came. */
  arrivedAt = 0
  readonly #fullMs: number
  readonly #places = new Map<string, number>()
  /** What was asked for last as a list: reads of one namespace all ask for the same. */
  #list: readonly string[] = []
  #placesOfList: readonly number[] = []
  #values: readonly Reply[] = []
  /** Text is made of a value once, however many asked for it. */
  readonly #texts: (string | undefined)[] = []
  readonly #arrived: Promise<void>
  #arrive!: () => void
  fail!: (error: unknown) => void

  constructor(fullMs: number) {
    this.#fullMs = fullMs
    this.#arrived = new Promise((resolve, reject) => {
      this.#arrive = resolve
      this.fail = reject
    })
  }

  /** Gives the place of the answer. */
  ask(key: string): number {
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.keys.push(key) - 1
      this.#places.set(key, place)
    }
    return place
  }

  askAll(keys: readonly string[]): readonly number[] {
    if (keys !== this.#list) {
      this.#list = keys
      this.#placesOfList = keys.map((key) => this.ask(key))
    }
    return this.#placesOfList
  }

  /** @param ms What the reader itself may wait. */
  arrived(ms: number): Promise<void> {
    return ms < this.#fullMs ? within(ms, this.#arrived) : this.#arrived
  }

  arrive(values: readonly Reply[]): void {
    this.#values = values
    this.arrivedAt = performance.now()
    this.#arrive()
  }

  bytes(place: number): Buffer | undefined {
    const value = this.#values[place]
    return Buffer.isBuffer(value) ? value : undefined
  }

  /** Empty where there is nothing. */
  text(place: number): string {
    return (this.#texts[place] ??= this.bytes(place)?.toString() ?? '')
  }
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RedisTimeoutError('Redis took longer than the deadline of the call')), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
