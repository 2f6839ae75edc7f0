import { globMatcher, piecesOf, type Change, type Mechanisms } from '../coherence/index.js'
import { RedisTimeoutError } from '../errors/index.js'
import type { Bus } from './bus.js'
import type { MasterNode, RedisConnection, Reply } from './clients/index.js'
import { newNonce } from './nonce.js'
import type { RedisNames } from './names.js'
import { dropAndAnnounceScript, dropScript } from './scripts.js'
import { groupBySlot } from './by-slot.js'
import { TOKEN_TTL_MS } from './token-names.js'

/** So that no script holds the server up for long. */
const MOST_NAMES_IN_ONE_SCRIPT = 250
const NAMES_A_SCAN_LOOKS_AT = 1000

export interface InvalidatorSettings {
  readonly connection: RedisConnection
  readonly names: RedisNames
  readonly bus: Bus
  readonly slot: (key: string) => number
  readonly mechanisms: Pick<Mechanisms, 'secondSweep'>
}

/** Makes Redis and all other processes forget. All of it may be done twice. */
export class Invalidator {
  readonly #settings: InvalidatorSettings

  constructor(settings: InvalidatorSettings) {
    this.#settings = settings
  }

  /** @returns How many entries of keys and patterns were there. */
  async invalidate(change: Change, timeoutMs: number): Promise<number> {
    let count = 0
    const until = performance.now() + timeoutMs
    for (const piece of piecesOf({ ...change, pattern: undefined })) {
      const leftMs = until - performance.now()
      if (leftMs <= 0) throw new RedisTimeoutError('Redis took longer than the deadline of the call')
      count += await this.#drop(piece, leftMs)
    }
    if (change.pattern !== undefined) count += await this.#sweep(change, change.pattern, timeoutMs)
    return count
  }

  async #drop(change: Change, timeoutMs: number): Promise<number> {
    const { connection, names, bus } = this.#settings
    const entries = change.keys.map((key) => names.entry(change.path, key))
    const tokens = change.labels.map((label) => names.token(`${change.path}\0${label}`))
    if (connection.kind === 'standalone') {
      const keys = [bus.sequenceKey, ...this.#withLeases(entries), ...tokens]
      const args = [...bus.announcement(change), ...dropArguments(change.mode, entries.length)]
      const [count] = (await connection.run(dropAndAnnounceScript, keys, args, timeoutMs)) as [number]
      return count
    }
    // Dropping and counting are not one step here. Told before, a load that names its tags only later knows that they changed; told after, nobody finds the old value.
    await bus.announce(change, timeoutMs)
    const count = await this.#dropBySlot(change.mode, entries, tokens, timeoutMs)
    await bus.announce(change, timeoutMs)
    return count
  }

  async #dropBySlot(mode: Change['mode'], entries: readonly string[], tokens: readonly string[], timeoutMs: number): Promise<number> {
    const { connection, slot } = this.#settings
    const isToken = new Set(tokens)
    const counts = await Promise.all(
      groupBySlot([...entries, ...tokens], (name) => name, slot).map((group) => {
        const inSlot = group.filter((name) => !isToken.has(name))
        const keys = [...this.#withLeases(inSlot), ...group.filter((name) => isToken.has(name))]
        return connection.run(dropScript, keys, dropArguments(mode, inSlot.length), timeoutMs) as Promise<number>
      }),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /**
   * Goes through the keys of every master. Entries are gone through twice: while it is walked, a hash table that grows can move one into a bucket that was
   * passed already. Others are told before, so that they stop soon, and after, when nothing old is left to be read.
   */
  async #sweep({ mode, path }: Change, pattern: string, timeoutMs: number): Promise<number> {
    const { connection, bus, mechanisms } = this.#settings
    const told: Change = { mode, path, keys: [], labels: [], pattern }
    const matches = globMatcher(pattern)
    const head = /^[^*?[\\]*/.exec(pattern)?.[0] ?? ''
    await bus.announce(told, timeoutMs)
    const sweepNode = async (node: MasterNode) => {
      let count = 0
      for (const kinds of mechanisms.secondSweep ? (['[vl]', 'v'] as const) : (['[vl]'] as const)) count += await this.#sweepNode(node, mode, path, head, kinds, matches, timeoutMs)
      return count
    }
    const counts = await Promise.all((await connection.masters()).map(sweepNode))
    await bus.announce(told, timeoutMs)
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async #sweepNode(node: MasterNode, mode: Change['mode'], path: string, head: string, kinds: '[vl]' | 'v', matches: (key: string) => boolean, timeoutMs: number): Promise<number> {
    const { names } = this.#settings
    const glob = names.keysBeginning(path, head, kinds)
    let cursor = '0'
    let count = 0
    do {
      const [next, found] = (await node.send(['SCAN', cursor, 'MATCH', glob, 'COUNT', String(NAMES_A_SCAN_LOOKS_AT)], timeoutMs)) as [Reply, Reply[]]
      cursor = String(next)
      const entries = new Set<string>()
      for (const name of found) {
        const parsed = names.parse(path, String(name))
        // Of a hashed name the key is not known; to drop one too many is only a miss.
        if (parsed !== undefined && (parsed.key === undefined || matches(parsed.key))) entries.add(parsed.entry)
      }
      const list = [...entries]
      for (let i = 0; i < list.length; i += MOST_NAMES_IN_ONE_SCRIPT) {
        count += await this.#dropBySlot(mode, list.slice(i, i + MOST_NAMES_IN_ONE_SCRIPT), [], timeoutMs)
      }
    } while (cursor !== '0')
    return count
  }

  #withLeases(entries: readonly string[]): string[] {
    return entries.flatMap((entry) => [entry, this.#settings.names.lease(entry)])
  }
}

function dropArguments(mode: Change['mode'], entries: number): string[] {
  return [mode, String(entries), newNonce(), String(TOKEN_TTL_MS)]
}
