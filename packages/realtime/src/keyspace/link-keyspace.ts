import type { RedisLink, Reply } from '@tiercel/core/connection'
import type { Command, Keyspace, Value } from './keyspace.js'
import type { Operation } from './operation.js'

/** How many names a server looks at in one go: others wait that long. */
const NAMES_A_SCAN_LOOKS_AT = 1000

export class LinkKeyspace implements Keyspace {
  readonly #link: RedisLink

  constructor(link: RedisLink) {
    this.#link = link
  }

  async send(command: Command): Promise<Value> {
    return decoded(await this.#link.send(command.map(String), { route: String(command[1] ?? '') }))
  }

  async run({ script }: Operation, keys: readonly string[], args: Command): Promise<Value> {
    return decoded(await this.#link.run(script, keys, args.map(String)))
  }

  async removeMatching(pattern: string): Promise<number> {
    let removed = 0
    for (const node of await this.#link.masters()) {
      let cursor = '0'
      do {
        const scan = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(NAMES_A_SCAN_LOOKS_AT)]
        const [next, names] = decoded(await node.send(scan, this.#link.deadlineMs)) as [string, string[]]
        removed += await this.#unlink(names)
        cursor = next
      } while (cursor !== '0')
    }
    return removed
  }

  /** In a cluster each name has a slot of its own. */
  async #unlink(names: readonly string[]): Promise<number> {
    if (names.length === 0) return 0
    const commands = this.#link.kind === 'cluster' ? names.map((name) => ['UNLINK', name]) : [['UNLINK', ...names]]
    const counts = await Promise.all(commands.map((command) => this.send(command)))
    return counts.reduce<number>((sum, count) => sum + Number(count), 0)
  }
}

function decoded(reply: Reply): Value {
  if (Array.isArray(reply)) return reply.map(decoded)
  return Buffer.isBuffer(reply) ? reply.toString() : reply
}
