import { defineScript, type RedisLink, type Reply } from '@tiercel/core/connection'

/** Adds keys. What is there and no index is none of ours. KEYS: index. ARGV: score and key in turn. Gives 1 when there was no index before. */
const addScript = defineScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' then redis.call('UNLINK', KEYS[1]) end
for i = 1, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
return kind == 'zset' and 0 or 1
`)

/**
 * Takes out the keys that there is no more room for. Gives those, and of the keys that are named those that are not in the index. KEYS: index. ARGV: most keys, ms to keep the
 * index at least, keys.
 */
const trimScript = defineScript(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[1])
local gone = {}
if over > 0 then
  gone = redis.call('ZRANGE', KEYS[1], 0, over - 1)
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)
end
for i = 3, #ARGV do
  if not redis.call('ZSCORE', KEYS[1], ARGV[i]) then gone[#gone + 1] = ARGV[i] end
end
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

  /**
   * @param now The time of Redis.
   * @returns Whether there was no index before: then nobody knows what Redis holds.
   */
  async add(keys: readonly string[], now: number): Promise<boolean> {
    // One after the other, by fractions of a millisecond.
    const scored = keys.flatMap((key, i) => [String(now + i / 1000), key])
    return (await this.#link.run(addScript, [this.#name], scored)) === 1
  }

  /** Resolves to the keys that are not among the newest any more, and those of `added` that were taken out meanwhile. */
  async trim(added: readonly string[], keptMs: number): Promise<string[]> {
    const gone = (await this.#link.run(trimScript, [this.#name], [String(this.#most), String(Math.ceil(keptMs)), ...added])) as Reply[]
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
