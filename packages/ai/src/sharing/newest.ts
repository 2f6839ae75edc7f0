import { defineScript, type RedisLink, type Reply } from '@tiercel/core/connection'

/**
 * Gives the keys that there is no more room for, and takes them out. KEYS: index. ARGV: most keys, ms to keep the index at least.
 */
const trimScript = defineScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then
  redis.call('UNLINK', KEYS[1])
  return {}
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[1])
if over <= 0 then return {} end
local gone = redis.call('ZRANGE', KEYS[1], 0, over - 1)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)
return gone
`)

/** Which keys of a family Redis holds, newest first, and no more of them than the family has room for. So nobody has to search Redis for them. */
export class Newest {
  readonly #link: RedisLink
  readonly #name: string
  readonly #most: number

  constructor(link: RedisLink, name: string, most: number) {
    this.#link = link
    this.#name = name
    this.#most = most
  }

  /** @param now The time of Redis. */
  async add(keys: readonly string[], now: number): Promise<void> {
    // One after the other, by fractions of a millisecond.
    await this.#link.send(['ZADD', this.#name, ...keys.flatMap((key, i) => [String(now + i / 1000), key])], { route: this.#name })
  }

  /** Resolves to the keys that are not among the newest any more. */
  async trim(keptMs: number): Promise<string[]> {
    const gone = (await this.#link.run(trimScript, [this.#name], [String(this.#most), String(Math.ceil(keptMs))])) as Reply[]
    return gone.map(String)
  }

  /** The newest ones that the family has room for. */
  list(): Promise<string[]> {
    return this.#range(this.#most - 1)
  }

  /** Those too that only a larger family of another process has room for. */
  listAll(): Promise<string[]> {
    return this.#range(-1)
  }

  async #range(last: number): Promise<string[]> {
    return ((await this.#link.send(['ZREVRANGE', this.#name, '0', String(last)], { route: this.#name })) as Reply[]).map(String)
  }
}
