import { globMatcher } from '@tiercel/core/connection'
import type { Command, Keyspace, Value } from './keyspace.js'
import type { Operation } from './operation.js'
import { refused, type Commands } from './memory/commands.js'
import { hashCommands } from './memory/hashes.js'
import { Hub } from './memory/hub.js'
import { keyCommands, stringCommands } from './memory/keys.js'
import { listCommands } from './memory/lists.js'
import { setCommands } from './memory/sets.js'
import { sortedSetCommands } from './memory/sorted-sets.js'
import { Store } from './memory/store.js'
import { streamCommands } from './memory/streams.js'

const MOST_KEYS = 100_000

const commands: Commands = {
  ...keyCommands,
  ...stringCommands,
  ...hashCommands,
  ...listCommands,
  ...setCommands,
  ...sortedSetCommands,
  ...streamCommands,
}

export interface MemoryKeyspaceOptions {
  /** Beyond it the key that was written to longest ago goes. Default 100,000. */
  readonly maxKeys?: number
  /** Milliseconds since 1970, never going back. Default: the monotonic clock of the process. */
  now?(): number
}

/** As much of a Redis as this package uses, in the memory of this process. What Redis refuses it refuses as well. */
export class MemoryKeyspace implements Keyspace {
  readonly hub = new Hub()
  readonly #store: Store
  readonly #call: (name: string, ...args: (string | number)[]) => Value

  constructor({ maxKeys = MOST_KEYS, now = () => performance.timeOrigin + performance.now() }: MemoryKeyspaceOptions = {}) {
    this.#store = new Store(maxKeys, now)
    this.#call = (...command) => this.send(command)
  }

  send(command: Command): Value {
    const [name = '', ...args] = command.map(String)
    if (name === 'PUBLISH') return this.hub.publish(args[0] ?? '', args[1] ?? '')
    const execute = commands[name]
    if (execute === undefined) throw refused('There is no such command in memory')
    return execute(this.#store, args)
  }

  run({ inMemory }: Operation, keys: readonly string[], args: Command): Value {
    return inMemory(this.#call, keys, args.map(String))
  }

  removeMatching(pattern: string): number {
    const matches = globMatcher(pattern)
    let removed = 0
    for (const key of this.#store.keys()) if (matches(key) && this.#store.remove(key)) removed++
    return removed
  }

  /** How many keys there are, those that expired and were not looked at since included. */
  get size(): number {
    return this.#store.size
  }

  clear(): void {
    this.#store.clear()
  }
}
