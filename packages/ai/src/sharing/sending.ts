import { evictFromRedis, hasHeardAll, setLater, type RedisLink } from '@tiercel/core/connection'
import type { Certainty } from './certainty.js'
import type { InvalidationCount } from './invalidation-count.js'
import type { Parcels } from './parcel.js'
import type { Report } from './report.js'
import type { Space } from './space.js'
import type { Teller } from './telling.js'
import { Writes, type Write } from './writes.js'

const MOST_SENT_AT_ONCE = 32
/** Larger values are fetched by those who want them. */
const LARGEST_TOLD = 16_384
/** The longest TTL of a cache. */
const LONGEST_MS = 3650 * 86_400_000

export interface SenderContext {
  readonly link: RedisLink
  readonly certainty: Certainty
  readonly teller: Teller
  readonly count: InvalidationCount
  readonly parcels: Parcels
  readonly report: Report
  /** Whether values may be in messages, which are not encrypted. */
  readonly tellsValues: boolean
  /** By the clock of Redis. */
  now(): number
  /** Another process has stored the key at the same time: which of the two values is there only Redis knows. */
  onContested(key: string): void
}

/** What became of a write, and of those that were sent with it. */
interface Sent {
  readonly isStored: boolean
  /** Redis was emptied meanwhile. */
  readonly areLost: boolean
  readonly areNamed: boolean
  /** What was certain when they were sent. */
  readonly round: number
}

/** Gives Redis the values of one family that were set here, in the order in which they were set, and makes it forget those that it will not be given. */
export class Sender {
  readonly writes: Writes
  readonly #space: Space
  readonly #context: SenderContext
  #forgetting: Promise<void> | undefined
  #namedInRound = -1

  constructor(space: Space, context: SenderContext) {
    this.#space = space
    this.#context = context
    this.writes = new Writes(space.family.maxSize)
  }

  /** Whether Redis has keys that it is to forget, other processes maybe too, and what they say of them may be from before. */
  get isForgetting(): boolean {
    return this.#forgetting !== undefined || this.writes.hasToForget
  }

  /** Sends what may be sent. */
  pump(): void {
    const { writes } = this
    const { certainty, teller } = this.#context
    if (!certainty.isSure || !teller.isEmpty || this.#forgetting !== undefined) return
    if (writes.hasToForget) {
      void this.forget()
      return
    }
    const most = Math.min(MOST_SENT_AT_ONCE, this.#space.family.maxSize)
    const batch: Write[] = []
    while (writes.sending.size < most) {
      const write = writes.take()
      if (write === undefined) break
      batch.push(write)
    }
    if (batch.length > 0) void this.#send(batch)
  }

  /** Resolves when Redis has what was set for the key until now, or was made to forget it. */
  async untilSent(key: string): Promise<void> {
    await this.writes.of(key)?.outcome.promise
    if (this.#context.certainty.isSure) await this.forget()
  }

  /** Makes Redis forget the keys whose values it will not be given. */
  forget(): Promise<void> {
    if (this.#forgetting !== undefined) return this.#forgetting
    if (!this.writes.hasToForget) return Promise.resolve()
    this.#forgetting = this.#makeForget(this.writes.takeForgotten()).finally(() => {
      this.#forgetting = undefined
      this.pump()
    })
    return this.#forgetting
  }

  async #makeForget(forgotten: readonly string[] | 'all'): Promise<void> {
    const { cache } = this.#space
    try {
      if (forgotten === 'all') await this.#context.teller.tell({ all: true })
      else {
        // When Redis cannot be told, the cache tells it before anything is read from it again.
        await cache.deleteMany(forgotten)
        // An older value may still be on its way here.
        await hasHeardAll(cache)
      }
    } catch (error) {
      this.#context.report(error)
    }
  }

  async #send(batch: readonly Write[]): Promise<void> {
    const { round } = this.#context.certainty
    // It is sent before the values: whoever sweeps by the index finds every value that is there.
    const naming = this.#name(batch.map(({ key }) => key))
    // It may turn out that Redis has to be emptied first.
    const isFirst = this.#namedInRound !== round
    if (isFirst) await naming
    const areStored = await Promise.all(batch.map((write) => this.#store(write)))
    const named = await naming
    const areNamed = named !== 'unnamed'
    if (areNamed) this.#namedInRound = round
    // It turned out only when they were on their way: they went with all the others.
    const areLost = named === 'emptied' && !isFirst
    const stored = areLost ? [] : batch.filter((_, i) => areStored[i])
    const [hasHeard] = await Promise.all([hasHeardAll(this.#space.cache), this.#trim(stored)])
    // An older value may still be on its way here.
    if (!hasHeard) for (const write of batch) write.contested = true
    for (const [i, write] of batch.entries()) this.#end(write, { isStored: areStored[i] === true && !areLost, areLost, areNamed, round })
    this.pump()
  }

  /** Resolves to whether everybody can find the keys by the index, and whether Redis had to be emptied for that. */
  async #name(keys: readonly string[]): Promise<'named' | 'emptied' | 'unnamed'> {
    const { newest } = this.#space
    try {
      if (!(await newest.add(keys, this.#context.now()))) return 'named'
      await this.#space.emptyRedis()
      return 'emptied'
    } catch (error) {
      this.#context.report(error)
      return 'unnamed'
    }
  }

  async #store(write: Write): Promise<boolean> {
    const { certainty, count, parcels, report, tellsValues, now } = this.#context
    const { key, parcel, deadline } = write
    const ms = deadline - performance.now()
    if (ms <= 0) return false
    parcels.address(parcel, now() + ms)
    const options = { ttl: Math.min(Math.ceil(ms), LONGEST_MS), tags: this.#space.tagsOf(key) }
    const note = tellsValues && parcel.length <= LARGEST_TOLD ? parcel.toString('base64') : undefined
    try {
      return await setLater(this.#space.cache, key, parcel, options, { holds: () => write.state === 'valid' && certainty.isSure, note, guard: count.guard })
    } catch (error) {
      report(error)
      return false
    }
  }

  async #trim(stored: readonly Write[]): Promise<void> {
    if (stored.length === 0) return
    const { cache, newest } = this.#space
    const now = performance.now()
    const keptMs = Math.max(...stored.map(({ deadline }) => Math.min(Math.max(deadline - now, 1), LONGEST_MS)))
    try {
      void evictFromRedis(cache, await newest.trim(stored.map(({ key }) => key), keptMs))
    } catch (error) {
      this.#context.report(error)
    }
  }

  #end(write: Write, { isStored, areLost, areNamed, round }: Sent): void {
    const { writes } = this
    const { link, certainty, onContested } = this.#context
    const { key, deadline } = write
    writes.sending.delete(key)
    const hasEnded = deadline <= performance.now()
    const isCutShort = !isStored && !hasEnded && (areLost || link.state !== 'up' || round !== certainty.round)
    if (isCutShort && writes.again(write)) {
      // Of those that are lost Redis is told at once; with the others it may take long.
      if (!areLost) write.outcome.release()
      return
    }
    if (!writes.waiting.has(key)) {
      // Revoked on its last steps, or not to be found by a pattern, or at its end before it was sent, when Redis may hold an older one.
      if (isStored ? write.state === 'revoked' || !areNamed : hasEnded) writes.forget(key)
      if (write.contested && certainty.isSure) onContested(key)
    }
    write.outcome.settle()
  }
}
