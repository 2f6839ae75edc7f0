import { setTimeout as pause } from 'node:timers/promises'
import { beside, type Keyspace } from '../keyspace/keyspace.js'
import { acquireOperation, extendOperation, releaseOperation } from './operations.js'

/** The connection was lost, perhaps, and is there again soon. If not, the lock is free when its time is over. */
const TRIES_AFTER_MS = [0, 100, 1000, 5000]

/** Who wants a lock, or has it: a token that nobody can guess, under the key of the lock. */
export class Claim {
  readonly #keyspace: Keyspace
  readonly #key: string
  readonly #token: string

  constructor(keyspace: Keyspace, key: string, token: string) {
    this.#keyspace = keyspace
    this.#key = key
    this.#token = token
  }

  /** The fence; 0 when somebody else has it. */
  async acquire(ttlMs: number): Promise<number> {
    return Number(await this.#keyspace.run(acquireOperation, [this.#key, beside(this.#key, 'fence')], [this.#token, ttlMs]))
  }

  async extend(ttlMs: number): Promise<boolean> {
    return (await this.#keyspace.run(extendOperation, [this.#key], [this.#token, ttlMs])) === 1
  }

  async release(): Promise<boolean> {
    return (await this.#keyspace.run(releaseOperation, [this.#key], [this.#token])) === 1
  }

  /** For when Redis did not say what became of the lock: nobody has it, if it can be done. Never rejects. */
  async withdraw(): Promise<void> {
    for (const ms of TRIES_AFTER_MS) {
      await pause(ms, undefined, { ref: false })
      const isTold = await this.release().then(() => true, () => false)
      if (isTold) return
    }
  }
}
