import { defineScript, type RedisLink, type Reply } from '@tiercel/core/connection'

/**
 * Notes keys as the newest ones and gives those that there is no more room for. By the time of Redis in microseconds, and in one call one after the other.
 * KEYS: index. ARGV: most keys, ms to keep the index at least, keys.
 */
const noteScript = defineScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then redis.call('UNLINK', KEYS[1]) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], string.format('%.0f', now + i), ARGV[i]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[1])
local gone = {}
if over > 0 then
  gone = redis.call('ZRANGE', KEYS[1], 0, over - 1)
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)
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

  /** Resolves to the keys that are not among the newest any more. */
  async note(keys: readonly string[], keptMs: number): Promise<string[]> {
    const gone = (await this.#link.run(noteScript, [this.#name], [String(this.#most), String(Math.ceil(keptMs)), ...keys])) as Reply[]
    return gone.map(String)
  }

  async list(): Promise<string[]> {
    const keys = (await this.#link.send(['ZREVRANGE', this.#name, '0', String(this.#most - 1)], { route: this.#name })) as Reply[]
    return keys.map(String)
  }
}
