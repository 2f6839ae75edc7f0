import { QueueFullError } from '@tiercel/core'
import { fromJson, toJson } from '../backend/json.js'
import { after, beside, type Awaitable, type Keyspace, type Value } from '../keyspace/keyspace.js'
import { acknowledgeOperation, addOperation, claimOperation, listOperation } from './operations.js'

export interface QueueItem<Item> {
  /** Unique in its queue, and for `acknowledge`. */
  readonly id: string
  readonly value: Item
  /** When it was added, by Redis's clock, in milliseconds since 1970. */
  readonly addedAt: number
}

export interface QueueLimits {
  readonly ttlMs: number
  readonly maxItems: number
  readonly claimMs: number
}

/** One queue under one key. Items go by age, each by its own: what is added late does not keep what came early. */
export class KeyQueue<Item> {
  readonly #keyspace: Keyspace
  readonly #key: string
  readonly #limits: QueueLimits

  constructor(keyspace: Keyspace, key: string, limits: QueueLimits) {
    this.#keyspace = keyspace
    this.#key = key
    this.#limits = limits
  }

  add(value: Item, idempotencyKey = ''): Awaitable<string | undefined> {
    const { ttlMs, maxItems } = this.#limits
    const reply = this.#keyspace.run(addOperation, [this.#key, beside(this.#key, 'seen')], [toJson(value, 'item'), ttlMs, maxItems, idempotencyKey])
    return after(reply, (id) => {
      if (id === -1) throw new QueueFullError(`The queue holds ${maxItems} items already`)
      return id === 0 ? undefined : String(id)
    })
  }

  list(): Awaitable<QueueItem<Item>[]> {
    return after(this.#keyspace.run(listOperation, [this.#key], [this.#limits.ttlMs]), items<Item>)
  }

  claim(count: number): Awaitable<QueueItem<Item>[]> {
    return after(this.#take(count, false), items<Item>)
  }

  drain(): Awaitable<QueueItem<Item>[]> {
    return after(this.#take(this.#limits.maxItems, true), items<Item>)
  }

  acknowledge(ids: readonly string[]): Awaitable<number> {
    return ids.length === 0 ? 0 : after(this.#keyspace.run(acknowledgeOperation, [this.#key], ids), Number)
  }

  #take(count: number, goes: boolean): Awaitable<Value> {
    const { ttlMs, claimMs } = this.#limits
    return this.#keyspace.run(claimOperation, [this.#key], [ttlMs, claimMs, count, goes ? 1 : 0])
  }
}

function items<Item>(reply: Value): QueueItem<Item>[] {
  return (reply as [string, string[]][]).map(([id, fields]) => ({ id, value: fromJson(fields[1]) as Item, addedAt: Number.parseInt(id, 10) }))
}
