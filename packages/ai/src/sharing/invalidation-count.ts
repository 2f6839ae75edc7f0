import { randomInt } from 'node:crypto'
import { defineScript, type RedisLink } from '@tiercel/core/connection'

/** KEYS: counter. ARGV: where it begins when it is not there, how much to add. Gives the number, and whether it was there. */
const countScript = defineScript(`
local number = redis.pcall('GET', KEYS[1])
local existed = type(number) == 'string' and tonumber(number) ~= nil
if not existed then redis.call('SET', KEYS[1], ARGV[1]) end
return {string.format('%.0f', redis.call('INCRBY', KEYS[1], ARGV[2])), existed and 1 or 0}
`)

/** More than were ever heard ahead of their turn: then it is simpler not to know. */
const MOST_AHEAD = 1000

/**
 * How many invalidations there were, by a counter in Redis that each of them raises before it is told to anybody. Who was away sees from it whether there was one
 * meanwhile: the values that he kept are good if the counter is where he heard it to be. A counter that is gone says that Redis lost what it held, which makes no value old.
 */
export class InvalidationCount {
  readonly #link: RedisLink
  readonly #key: string
  /** All up to this one have been heard. */
  #known: number | undefined
  readonly #ahead = new Set<number>()

  constructor(link: RedisLink, key: string) {
    this.#link = link
    this.#key = key
  }

  /** In Redis, as long as there was no invalidation that was not heard. */
  get guard(): { readonly key: string; readonly value: string } | undefined {
    return this.#known === undefined ? undefined : { key: this.#key, value: String(this.#known) }
  }

  /** The number of an invalidation that is about to be told. */
  async next(): Promise<number> {
    return (await this.#count(1)).number
  }

  /** One was told, or made here. */
  heard(number: number): void {
    if (this.#ahead.size >= MOST_AHEAD) this.#ahead.clear()
    this.#ahead.add(number)
    this.#catchUp()
  }

  /** Whether there was an invalidation that was not heard. From now on all count as heard. */
  async hasMissed(): Promise<boolean> {
    const before = this.#known
    const { number, existed } = await this.#count(0)
    const known = this.#known
    this.#known = number
    for (const early of this.#ahead) if (early <= number) this.#ahead.delete(early)
    this.#catchUp()
    // Heard while the question was on its way is heard.
    return existed && before !== undefined && (known === undefined || number > known)
  }

  async #count(by: number): Promise<{ number: number; existed: boolean }> {
    const [number, existed] = (await this.#link.run(countScript, [this.#key], [String(randomInt(2 ** 40, 2 ** 47)), String(by)])) as [Buffer, number]
    return { number: Number(String(number)), existed: existed === 1 }
  }

  #catchUp(): void {
    while (this.#known !== undefined && this.#ahead.delete(this.#known + 1)) this.#known++
  }
}
