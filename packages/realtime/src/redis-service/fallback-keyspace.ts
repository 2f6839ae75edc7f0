import { RedisError, RedisRefusedError } from '@tiercel/core'
import type { Backend } from '../backend/backend.js'
import type { Awaitable, Command, Keyspace, Value } from '../keyspace/keyspace.js'
import { MemoryKeyspace } from '../keyspace/memory-keyspace.js'
import type { Operation } from '../keyspace/operation.js'

const LOOK_AGAIN_MS = 1000

/**
 * Redis, and memory instead while it does not answer. From the first call that Redis fails on all calls go to memory, so that what one has written the next one
 * finds; from when it answers again all go there. Memory is empty at the beginning of each such time and is forgotten at its end: what it holds may be older than what others
 * have written to Redis meanwhile.
 */
export class FallbackKeyspace implements Keyspace {
  readonly #backend: Backend
  readonly #memory = new MemoryKeyspace()
  #isInMemory = false
  #look: NodeJS.Timeout | undefined

  constructor(backend: Backend) {
    this.#backend = backend
  }

  get isInMemory(): boolean {
    return this.#isInMemory
  }

  send(command: Command): Awaitable<Value> {
    return this.#either((keyspace) => keyspace.send(command))
  }

  run(operation: Operation, keys: readonly string[], args: Command): Awaitable<Value> {
    return this.#either((keyspace) => keyspace.run(operation, keys, args))
  }

  removeMatching(pattern: string): Awaitable<number> {
    return this.#either((keyspace) => keyspace.removeMatching(pattern))
  }

  /** Looks for Redis no more. */
  close(): void {
    clearTimeout(this.#look)
  }

  async #either<T>(execute: (keyspace: Keyspace) => Awaitable<T>): Promise<T> {
    if (!this.#isInMemory) {
      try {
        return await execute(this.#backend.keyspace)
      } catch (error) {
        if (!isAway(error)) throw error
        this.#fallBack()
      }
    }
    return await execute(this.#memory)
  }

  #fallBack(): void {
    if (this.#isInMemory) return
    this.#isInMemory = true
    this.#lookLater()
  }

  /** A single command may have failed while the connection as a whole is taken for good: nobody would say that it is there again. So it is asked. */
  #lookLater(): void {
    this.#look = setTimeout(() => {
      this.#ask().catch(() => (this.#backend.isClosed ? undefined : this.#lookLater()))
    }, LOOK_AGAIN_MS)
    this.#look.unref()
  }

  async #ask(): Promise<void> {
    await this.#backend.link?.send(['PING'], { route: '' })
    this.#isInMemory = false
    this.#memory.clear()
  }
}

/** Whether Redis cannot be used at all. When it is full, or holds another kind of value, it can, and the caller is told. */
function isAway(error: unknown): boolean {
  return error instanceof RedisError && !(error instanceof RedisRefusedError && ['oom', 'wrongtype', 'other', 'permission'].includes(error.reply))
}
