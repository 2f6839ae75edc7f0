import { isDeepStrictEqual } from 'node:util'
import type { Codec } from '../codec/index.js'
import type { Entry } from '../memory/index.js'
import type { CacheEvents } from '../observe/index.js'
import type { AuditSettings } from '../options/index.js'
import type { Remote } from '../redis/index.js'
import type { Shared } from './shared.js'

/** More hits than these are not followed at a time. */
const MOST_FOLLOWED = 16

/** Tags are read with the entry that names them. */
const NO_IDS: readonly string[] = []

/** A value that memory has served. */
interface Served {
  readonly path: string
  readonly key: string
  readonly location: string
  readonly entry: Entry
}

/**
 * Looks a sample of the values that memory serves up in Redis a little later. It is a listener like any other, so that nothing is asked of a hit when there is no audit,
 * and nobody waits for it.
 */
export class Audit {
  /** Values that Redis had too. */
  compared = 0
  /** Those of which it had another one. */
  disagreements = 0
  readonly #shared: Shared
  readonly #remote: Remote
  readonly #settings: AuditSettings
  readonly #stopListening: () => void
  readonly #timers = new Set<NodeJS.Timeout>()
  #followed = 0

  constructor(shared: Shared, remote: Remote, settings: AuditSettings) {
    this.#shared = shared
    this.#remote = remote
    this.#settings = settings
    this.#stopListening = shared.events.listen('hit', shared.settings.name, (hit) => this.#onHit(hit))
  }

  close(): void {
    this.#stopListening()
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #onHit({ namespace: path, key, tier }: CacheEvents['hit']): void {
    if (tier !== 'memory' || this.#followed >= MOST_FOLLOWED || Math.random() >= this.#settings.sample) return
    const { locations, memory } = this.#shared
    const location = locations.locate(locations.prefixOf(path), key)
    const entry = memory.peek(location)
    if (entry !== undefined) void this.#follow({ path, key, location, entry })
  }

  async #follow(served: Served): Promise<void> {
    this.#followed++
    try {
      const first = await this.#look(served)
      if (first !== undefined) this.compared++
      // Looked at twice: in a cluster others are told of a new value only after it is there.
      if (first !== 'different' || (await this.#look(served)) !== 'different') return
      this.disagreements++
      this.#shared.events.emit('disagreement', { namespace: served.path, key: served.key })
    } catch {
      // What is wrong with Redis is told by the calls that depend on it.
    } finally {
      this.#followed--
    }
  }

  /** `undefined` when there is nothing to compare: memory does not serve the value any more, or Redis has none. */
  async #look(served: Served): Promise<'same' | 'different' | undefined> {
    await this.#pause()
    if (!this.#remote.isUp || !this.#isServed(served)) return undefined
    const { entries } = this.#remote
    const budget = this.#remote.budget()
    const reading = entries.read(served.path, served.key, NO_IDS, budget)
    await reading.arrived
    const found = await entries.judge(reading)
    if (found.state !== 'fresh') return undefined
    const decoded = await entries.decode(found)
    // What Redis has may be news that is still on its way here.
    if (decoded.corrupt !== undefined || !(await this.#remote.hasHeardAll(budget)) || !this.#isServed(served)) return undefined
    return isAlike(served.entry.value, decoded.value, this.#shared.settings.format.codec) ? 'same' : 'different'
  }

  #isServed({ location, entry }: Served): boolean {
    return this.#shared.memory.peek(location) === entry && this.#shared.mayServe(entry, performance.now())
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, this.#settings.afterMs)
      timer.unref()
      this.#timers.add(timer)
    })
  }
}

/** Whether one of the values is what the other becomes on its way through Redis. */
function isAlike(one: unknown, other: unknown, codec: Codec): boolean {
  const asRead = (value: unknown) => (value === null ? null : codec.decode(codec.encode(value)))
  return isDeepStrictEqual(one, other) || isDeepStrictEqual(asRead(one), asRead(other))
}
