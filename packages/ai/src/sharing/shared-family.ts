import type { PeerChange } from '@tiercel/core/connection'
import { matcherOf, type Entry } from '../families/index.js'
import { Fetcher, type FetcherContext } from './fetching.js'
import { readLabels, REDIS_ONLY } from './labels.js'
import { Sender, type SenderContext } from './sending.js'
import type { Space } from './space.js'
import { Teller, type Invalidation, type TellerContext } from './telling.js'

export type SharedFamilyContext = Omit<FetcherContext, 'sender' | 'teller'> & Omit<SenderContext, 'teller' | 'onContested'> & Omit<TellerContext, 'onEnd'>

type Matches = (key: string) => boolean

export const everything: Matches = () => true

/** One family that processes share: what goes out, what comes in, and what others do. */
export class SharedFamily {
  readonly space: Space
  readonly teller: Teller
  readonly sender: Sender
  readonly fetcher: Fetcher
  readonly #context: SharedFamilyContext

  constructor(space: Space, context: SharedFamilyContext) {
    this.space = space
    this.#context = context
    this.teller = new Teller(space, { ...context, onEnd: (isAllTold) => (isAllTold ? this.sender.pump() : this.release()) })
    this.sender = new Sender(space, { ...context, teller: this.teller, onContested: (key) => void this.fetcher.fetch(key, { dropsAbsent: true }) })
    this.fetcher = new Fetcher(space, { ...context, teller: this.teller, sender: this.sender })
  }

  /** As `Sharing.write`. */
  write(key: string, value: unknown, ttlMs: number): { readonly version: string; readonly told: Promise<unknown> } {
    const { parcels, certainty } = this.#context
    const { sender } = this
    this.fetcher.overtake(key)
    if (!this.space.canHold(key)) return { version: '', told: Promise.resolve() }
    const parcel = ttlMs > 0 ? this.#pack(value) : undefined
    queueMicrotask(() => sender.pump())
    if (parcel === undefined) {
      sender.writes.forget(key)
      return { version: '', told: certainty.whenSure(() => sender.forget()) }
    }
    const write = sender.writes.add(key, parcel, performance.now() + ttlMs)
    return { version: parcels.versionOf(parcel), told: certainty.whenSure(() => write.outcome.promise) }
  }

  /** Somebody asked for what is not here, and did not wait. */
  miss(key: string): void {
    const { fetcher } = this
    if (!this.#context.certainty.isSure || fetcher.isAbsent(key) || !this.space.canHold(key)) return
    if (fetcher.isUnderWay(key) || !fetcher.isFull) void fetcher.fetch(key, { isWanted: true })
  }

  /** As `miss`, for somebody who waits. */
  async read(key: string): Promise<Entry | undefined> {
    if (!this.space.canHold(key)) return undefined
    return this.#context.certainty.whenSure(() => this.fetcher.fetch(key, { isWanted: true }))
  }

  /** What was set before, and is still to be sent, is not to be; and what is being read may be from before. Resolves when others were told. */
  async invalidate(invalidation: Invalidation, matches: Matches): Promise<void> {
    this.sender.writes.revoke(matches)
    this.fetcher.cancelAll()
    await this.teller.tell(invalidation)
  }

  /** Nobody is to wait for a Redis that is away. */
  release(): void {
    this.teller.release()
    this.sender.writes.release()
  }

  /** Brings what is here and what Redis has together, and the newest of what Redis has into memory. */
  async compare(dropsAbsent: boolean): Promise<void> {
    const { family, newest } = this.space
    const names = await newest.list().catch((): string[] => [])
    const held = family.keys().filter((key) => dropsAbsent || this.space.canHold(key))
    // The newest comes last, so that it leaves last.
    const keys = [...new Set([...held, ...names.reverse()])].filter((key) => this.sender.writes.of(key) === undefined)
    await Promise.all(keys.map((key) => this.fetcher.fetch(key, { dropsAbsent })))
  }

  /** Another process has changed something. */
  onChange({ keys, tags, pattern, note, all }: PeerChange): void {
    const { family } = this.space
    const { users, patterns } = readLabels(tags)
    if (all && !tags.includes(REDIS_ONLY)) {
      family.clear()
      this.sender.writes.revoke(everything)
    }
    for (const user of users) {
      family.deleteUser(user)
      this.sender.writes.revoke(this.space.isOf(user))
    }
    for (const matches of [...patterns, ...(pattern === undefined ? [] : [pattern])].map(matcherOf)) {
      family.deleteWhere(matches)
      this.sender.writes.revoke(matches)
    }
    if (all || tags.length > 0 || pattern !== undefined) this.fetcher.outdateAll()
    for (const key of keys) this.#onStored(key, note)
  }

  /** Another process has stored a value, or dropped one that it has no room for or could not encode. */
  #onStored(key: string, note: string | undefined): void {
    const { certainty, parcels } = this.#context
    const { teller, sender, fetcher } = this
    const write = sender.writes.of(key)
    fetcher.outdate(key)
    if (write !== undefined) {
      write.contested = true
    } else if (!certainty.isSure) {
      this.space.family.delete(key)
    } else if (note !== undefined && !fetcher.isUnderWay(key) && teller.isEmpty && !sender.isForgetting) {
      const parcel = parcels.unpack(Buffer.from(note, 'base64'))
      if (parcel !== undefined) fetcher.receive(key, parcel, false)
    } else if (fetcher.isUnderWay(key) || !fetcher.isFull) {
      // What the message says may be from before something that was done here.
      void fetcher.fetch(key, { dropsAbsent: true })
    } else {
      this.space.family.delete(key)
    }
  }

  #pack(value: unknown): Buffer | undefined {
    const { parcels, report } = this.#context
    try {
      return parcels.pack(value)
    } catch (error) {
      report(error)
      return undefined
    }
  }
}
