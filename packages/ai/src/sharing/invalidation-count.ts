import { randomBytes } from 'node:crypto'
import { defineScript, type RedisLink } from '@tiercel/core/connection'

/** KEYS: counter. ARGV: the era that begins should it not be there, how much to add. Gives era and number. */
const countScript = defineScript(`
local count = redis.pcall('GET', KEYS[1])
local era, number = string.match(type(count) == 'string' and count or '', '^([^.]+)%.(%d+)$')
if not era then era, number = ARGV[1], 0 end
count = era .. '.' .. string.format('%.0f', tonumber(number) + ARGV[2])
-- A full server lets a script write whose first write needs no memory.
redis.call('UNLINK', KEYS[1])
redis.call('SET', KEYS[1], count)
return count
`)

/** More than were ever heard ahead of their turn: then it is simpler not to know. */
const MOST_AHEAD = 1000

/** A counter that is gone is begun anew, in another era. */
interface Count {
  readonly era: string
  readonly number: number
}

/**
 * How many invalidations there were, by a counter in Redis that each of them raises before it is told to anybody. Who was away sees from it whether there was one
 * meanwhile: what he has kept is good if the counter is where he heard it to be, or was begun anew and nobody has raised it since. Redis has lost what it held then, which
 * makes nothing old.
 */
export class InvalidationCount {
  readonly #link: RedisLink
  readonly #key: string
  /** All up to this one have been heard. */
  #known: Count | undefined
  readonly #ahead = new Set<string>()

  constructor(link: RedisLink, key: string) {
    this.#link = link
    this.#key = key
  }

  /** What Redis has as long as there was no invalidation that was not heard. */
  get guard(): { readonly key: string; readonly value: string } | undefined {
    return this.#known === undefined ? undefined : { key: this.#key, value: textOf(this.#known) }
  }

  /** The number of an invalidation that is about to be told. */
  next(): Promise<string> {
    return this.#count(1)
  }

  /** One was told, or made here. */
  heard(count: string): void {
    if (this.#ahead.size >= MOST_AHEAD) this.#ahead.clear()
    this.#ahead.add(count)
    this.#catchUp()
  }

  /** Whether there was an invalidation that was not heard. From now on all count as heard. */
  async hasMissed(): Promise<boolean> {
    const before = this.#known
    const count = countOf(await this.#count(0))
    // What was heard while the question was on its way is known.
    const known = this.#known?.era === count.era ? this.#known.number : 0
    const hasMissed = before !== undefined && count.number > known
    // A server that was restored from a copy may count from before.
    const wentBack = before !== undefined && before.era === count.era && count.number < before.number
    if (this.#known?.era !== count.era || hasMissed || wentBack) this.#known = count
    for (const early of this.#ahead) if (countOf(early).era !== count.era || countOf(early).number <= count.number) this.#ahead.delete(early)
    this.#catchUp()
    return hasMissed
  }

  async #count(by: number): Promise<string> {
    return String(await this.#link.run(countScript, [this.#key], [randomBytes(9).toString('base64url'), String(by)]))
  }

  #catchUp(): void {
    while (this.#known !== undefined) {
      const next: Count = { era: this.#known.era, number: this.#known.number + 1 }
      if (!this.#ahead.delete(textOf(next))) return
      this.#known = next
    }
  }
}

function textOf({ era, number }: Count): string {
  return `${era}.${number}`
}

function countOf(text: string): Count {
  const dot = text.indexOf('.')
  return { era: text.slice(0, dot), number: Number(text.slice(dot + 1)) }
}
