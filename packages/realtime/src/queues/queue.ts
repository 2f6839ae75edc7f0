import { type Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { encodeId, wholeNumber } from '../backend/names.js'
import { KeyQueue, type QueueItem, type QueueLimits } from './key-queue.js'

export interface QueueOptions {
  /** How long an item waits at most, each by itself. Default `'5m'`. */
  readonly ttl?: Duration
  /** So many items wait at most; more are refused. Default 1000. */
  readonly maxItems?: number
  /** How long a claim holds. What is not acknowledged until then is given to the next who claims. Default `'30s'`. */
  readonly claim?: Duration
}

/** @throws {InvalidOptionError} */
export function queueLimits({ ttl = '5m', maxItems = 1000, claim = '30s' }: QueueOptions): QueueLimits {
  return { ttlMs: toMs(ttl, 'ttl'), maxItems: wholeNumber(maxItems, 'maxItems', 1, 100_000), claimMs: toMs(claim, 'claim') }
}

/**
 * A queue that several processes fill and empty. An item is given to one at a time, and again to another when whoever had it did not acknowledge it in time: at
 * least once, not exactly once. While Redis is away all of it is refused with `TIERCEL_REDIS_UNAVAILABLE`.
 */
export class Queue<Item> {
  readonly #queue: KeyQueue<Item>
  readonly #chosen: ChosenBackend

  constructor(name: string, { ttl, maxItems, claim, ...choice }: QueueOptions & BackendChoice = {}) {
    const limits = queueLimits({ ...(ttl === undefined ? {} : { ttl }), ...(maxItems === undefined ? {} : { maxItems }), ...(claim === undefined ? {} : { claim }) })
    const id = encodeId(name, 'name of the queue')
    this.#chosen = chooseBackend(choice)
    const { keyspace, prefix } = this.#chosen.backend
    this.#queue = new KeyQueue(keyspace, `${prefix}queue:${id}`, limits)
  }

  /**
   * Puts an item at the end.
   *
   * @param options.idempotencyKey An item with a name that was added before, within the queue's `ttl`, is not added again: for those who try again when they do not know whether the first try arrived.
   * @returns Its id; `undefined` when it was added before.
   * @throws {QueueFullError} when `maxItems` wait; {@link InvalidArgumentError} for what cannot be written as JSON.
   */
  async add(value: Item, { idempotencyKey }: { readonly idempotencyKey?: string } = {}): Promise<string | undefined> {
    return await this.#queue.add(value, idempotencyKey)
  }

  /** Takes the oldest that nobody has. Each stays in the queue until it is acknowledged. Default: one. */
  async claim(count = 1): Promise<QueueItem<Item>[]> {
    return await this.#queue.claim(wholeNumber(count, 'count', 1, 100_000))
  }

  /** Done with what was claimed: it goes. Gives how many were still there. */
  async acknowledge(...ids: readonly string[]): Promise<number> {
    return await this.#queue.acknowledge(ids)
  }

  /** Takes all that nobody has, at once and for good. */
  async drain(): Promise<QueueItem<Item>[]> {
    return await this.#queue.drain()
  }

  /** All there are, those that somebody has included. */
  async list(): Promise<QueueItem<Item>[]> {
    return await this.#queue.list()
  }

  /** Closes what it opened: nothing, when it was given a backend or uses that of the process. */
  close(): Promise<void> {
    return this.#chosen.close()
  }
}

/**
 * @throws {InvalidOptionError} @throws {InvalidKeyError}
 * @example
 * const jobs = createQueue<{ file: string }>('resize')
 * await jobs.add({ file: 'a.png' }, { idempotencyKey: 'upload-1' })
 * for (const { id, value } of await jobs.claim(10)) {
 *   await resize(value.file)
 *   await jobs.acknowledge(id)
 * }
 */
export function createQueue<Item = unknown>(name: string, options: QueueOptions & BackendChoice = {}): Queue<Item> {
  return new Queue(name, options)
}
