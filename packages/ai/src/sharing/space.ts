import type { Cache } from '@tiercel/core'
import type { Family } from '../families/index.js'
import { canBeShared, canBeTold, REDIS_ONLY, userLabel } from './labels.js'
import type { Newest } from './newest.js'

/** One family, here and in Redis. */
export class Space {
  readonly #userOf: ((key: string) => string) | undefined

  /** @param userOf Tells whose a key is, in a family of values that belong to users. */
  constructor(
    readonly cache: Cache,
    readonly family: Family,
    readonly newest: Newest,
    userOf: ((key: string) => string) | undefined,
  ) {
    this.#userOf = userOf
  }

  /** Whether Redis can hold a value of the key, and others be told whose it is. */
  canHold(key: string): boolean {
    return canBeShared(key) && (this.#userOf === undefined || canBeTold(this.#userOf(key)))
  }

  /** What the entry of a key is found by when it is invalidated. */
  tagsOf(key: string): string[] {
    return this.#userOf === undefined ? [] : [userLabel(this.#userOf(key))]
  }

  isOf(user: string): (key: string) => boolean {
    return (key) => this.#userOf?.(key) === user
  }

  /** Redis may hold values that nobody can name. What processes have in memory is as good as ever. */
  async emptyRedis(): Promise<void> {
    await this.cache.invalidate({ all: true, tags: [REDIS_ONLY] })
  }
}
