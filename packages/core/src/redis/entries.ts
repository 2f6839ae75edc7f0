import { decodeEntry, encodeEntry, hasTagBytes, readHeader, softExpiryOffset, tagBytesOf, tagsOf, type CorruptReason, type DecodedEntry, type EntryFormat, type EntryHeader, type ValueForm } from '../codec/index.js'
import type { Mechanisms } from '../coherence/index.js'
import type { Batch, BatchReader } from './batch-reader.js'
import type { Budget } from './budget.js'
import type { RedisConnection, Reply } from './clients/index.js'
import type { RedisNames } from './names.js'
import type { RedisClock } from './redis-clock.js'
import { acquireScript, commitScript, releaseScript, renewScript, replaceScript, seizeScript, tokensScript } from './scripts.js'
import { groupBySlot } from './by-slot.js'
import { LEASE_MS } from './lease-time.js'
import { newNonce } from './nonce.js'
import { idInEntry, nameInEntry, TOKEN_TTL_MS } from './token-names.js'

/** How long those who waited for a load can learn that it kept nothing. They ask more often than that. */
const MARK_MS = 1000
/** Where an entry has its checksum, which the scripts tell entries apart by. */
const CHECKSUM_START = 10
const CHECKSUM_END = 14

/** A token that an entry depends on. */
export interface TokenRead {
  readonly id: string
  /** What the entry carries. */
  readonly carried: string
  /** What Redis has now. */
  readonly written: string
}

/** What was found of a key. */
export type Judged =
  | { readonly state: 'none' }
  /** Something is there that must not be served: damaged, foreign, invalidated or too old. */
  | { readonly state: 'useless'; readonly entry: Buffer }
  | { readonly state: 'fresh' | 'stale'; readonly entry: Buffer; readonly header: EntryHeader; readonly tokens: readonly TokenRead[] }

/** A value, or why there is none. */
export type Decoded = DecodedEntry | { readonly corrupt: CorruptReason }

/** What follows from a list of token ids. */
interface Derived {
  readonly keys: readonly string[]
  readonly names: readonly string[]
  /** The last entry that carried just these tokens, all of them current. Nearly all others have the same, byte for byte, and need not be taken apart. */
  lastGood: { readonly tagBytes: Buffer; readonly tokens: readonly TokenRead[] } | undefined
}

/** A key that was asked for. Without `async`: this is every hit in Redis. */
export interface Reading {
  readonly path: string
  readonly key: string
  readonly ids: readonly string[]
  readonly budget: Budget
  readonly batch: Batch
  readonly place: number
  readonly places: readonly number[]
  /** Rejects when there is no answer, or not in time. */
  readonly arrived: Promise<void>
}

export type Usable = Extract<Judged, { header: EntryHeader }>

/** The right to store what is loaded, as long as nobody takes it away. */
export interface Lease {
  readonly id: string
  readonly path: string
  readonly key: string
  /** The tokens from before the load, by their ids. */
  readonly tokens: ReadonlyMap<string, string>
}

export type Acquired = Usable | { readonly state: 'useless'; readonly entry: Buffer } | { readonly state: 'own'; readonly lease: Lease } | Held
/** Somebody else has the lease. */
export type Held =
  | { readonly state: 'wait'; readonly lease: string }
  /** The load that was waited for kept nothing, and another has begun. */
  | { readonly state: 'in-vain' }

export interface Storable {
  readonly value: unknown
  /** What `survey` found, so that it is not asked twice. */
  readonly form: ValueForm
  readonly ttl: number
  readonly freshMs: number
  readonly grace: number
  readonly etag: string | undefined
}

const NOTHING: Judged = { state: 'none' }

/** What a token says of the entry that carries it; the least good one counts. */
const Verdict = { Useless: 0, Stale: 1, Fresh: 2 } as const
type Verdict = number

export interface EntriesSettings {
  readonly connection: RedisConnection
  readonly names: RedisNames
  readonly clock: RedisClock
  readonly format: EntryFormat
  readonly reader: BatchReader
  readonly slot: (key: string) => number
  onCorrupt(reason: CorruptReason): void
  readonly mechanisms: Pick<Mechanisms, 'lease' | 'tokens'>
}

/** The second tier: entries in Redis, each valid only as long as the tokens it carries are the current ones there. */
export class RedisEntries {
  readonly #derivedFrom = new WeakMap<readonly string[], Derived>()

  constructor(readonly settings: EntriesSettings) {}

  /** Reads a key together with the tokens it is likely to depend on. Tokens come from Redis at every read: those in memory say nothing about it. */
  read(path: string, key: string, ids: readonly string[], budget: Budget): Reading {
    const { names, reader } = this.settings
    const entry = names.entry(path, key)
    const { keys } = this.#derived(ids)
    const ms = budget.start()
    const batch = reader.join(ms)
    const place = batch.ask(entry)
    const places = batch.askAll(keys)
    return { path, key, ids, budget, batch, place, places, arrived: batch.arrived(ms) }
  }

  /** What a reading that has arrived came to; a promise when the entry names labels that were not read with it. */
  judge({ path, key, ids, budget, batch, place, places }: Reading): Judged | Promise<Judged> {
    budget.stop(batch.arrivedAt)
    const bytes = batch.bytes(place)
    return bytes === undefined ? NOTHING : this.#judge(path, key, bytes, ids, (i) => batch.text(places[i] as number), budget, batch.arrivedAt)
  }

  /**
   * Asks for the right to load a key. Gives what is there instead, should somebody have stored it meanwhile.
   *
   * @param useless An entry that is known to be of no use.
   * @param awaited The lease that was waited for.
   */
  async acquire(path: string, key: string, ids: readonly string[], useless: Buffer | undefined, awaited: string | undefined, budget: Budget): Promise<Acquired> {
    const { connection, names } = this.settings
    const entry = names.entry(path, key)
    const lease = names.lease(entry)
    const { near, far } = this.#split(entry, ids)
    const id = newNonce()
    const tokens = new Map<string, string>()
    const asked = budget.spend(async (ms) => {
      await this.#makeTokens(far, tokens, ms)
      const keys = [entry, lease, ...near.map((tokenId) => names.token(tokenId))]
      const args = [id, String(LEASE_MS), useless?.subarray(CHECKSUM_START, CHECKSUM_END) ?? '', newNonce(), String(TOKEN_TTL_MS), awaited ?? '']
      const reply = (await connection.run(acquireScript, keys, args, ms)) as [number, Buffer, Reply[]]
      near.forEach((tokenId, i) => tokens.set(tokenId, String(reply[2][i])))
      return reply
    })
    // A reply that came too late may have been a lease: nobody would know of it.
    asked.catch(() => this.release({ id, path, key }, LEASE_MS))
    const [outcome, found] = await asked
    if (outcome === 2) return { state: 'own', lease: { id: String(found), path, key, tokens } }
    if (outcome === 3) return { state: 'wait', lease: String(found) }
    if (outcome === 4) return { state: 'in-vain' }
    const judged = await this.#judge(path, key, found, ids, (i) => tokens.get(ids[i] as string) ?? '', budget, performance.now())
    return judged.state === 'none' ? { state: 'wait', lease: '' } : judged
  }

  /** Takes the right to store a key from whoever has it, with `drop` also what is there. */
  async seize(path: string, key: string, ids: readonly string[], budget: Budget, drop?: 'drop'): Promise<Lease> {
    const { connection, names } = this.settings
    const entry = names.entry(path, key)
    const { near, far } = this.#split(entry, ids)
    const id = newNonce()
    const tokens = new Map<string, string>()
    return budget.spend(async (ms) => {
      await this.#makeTokens(far, tokens, ms)
      const keys = [entry, names.lease(entry), ...near.map((tokenId) => names.token(tokenId))]
      const written = (await connection.run(seizeScript, keys, [id, String(LEASE_MS), newNonce(), String(TOKEN_TTL_MS), drop ?? ''], ms)) as Reply[]
      near.forEach((tokenId, i) => tokens.set(tokenId, String(written[i])))
      return { id, path, key, tokens }
    })
  }

  /** The tokens of labels that were not known when the lease was taken. */
  async tokensOf(ids: readonly string[], budget: Budget): Promise<Map<string, string>> {
    const tokens = new Map<string, string>()
    await budget.spend((ms) => this.#makeTokens(ids, tokens, ms))
    return tokens
  }

  /** The bytes of a value under a lease. Settled before it returns, unless they are compressed: a later change by the caller does not reach them. */
  encode({ path, key, tokens }: Omit<Lease, 'id'>, { value, form, ttl, freshMs, grace, etag }: Storable): Buffer | Promise<Buffer> {
    const { clock, format } = this.settings
    const now = clock.redisTime(performance.now())
    const tags = new Map([...tokens].map(([id, written]) => [nameInEntry(id), currentOf(written)]))
    const fields = { key: `${path}\0${key}`, value, softExpiresAt: now + freshMs, expiresAt: now + freshMs + grace, ttl, tags, form }
    return encodeEntry(etag === undefined ? fields : { ...fields, etag }, format)
  }

  /** Stores an entry if the lease is still ours. Resolves to whether it was. */
  async commit({ id, path, key }: Lease, bytes: Buffer, lifetime: number, budget: Budget): Promise<boolean> {
    const entry = this.settings.names.entry(path, key)
    const keys = [entry, this.settings.names.lease(entry)]
    const { connection, mechanisms } = this.settings
    if (!mechanisms.lease) {
      await budget.spend((ms) => connection.send(['SET', entry, bytes, 'PX', String(lifetime)], { route: entry, timeoutMs: ms }))
      return true
    }
    return (await budget.spend((ms) => connection.run(commitScript, keys, [id, bytes, String(lifetime)], ms))) === 1
  }

  /** Puts an entry in the place of the same one with other times. */
  async replace({ header }: Usable, path: string, key: string, bytes: Buffer, lifetime: number, budget: Budget): Promise<boolean> {
    const { connection, names } = this.settings
    const entry = names.entry(path, key)
    const read = header.entry.subarray(softExpiryOffset, CHECKSUM_END)
    return (await budget.spend((ms) => connection.run(replaceScript, [entry], [read, bytes, String(lifetime)], ms))) === 1
  }

  /** Gives the room of entries back, and tells nobody: who has one of them in memory may go on with it. */
  async evict(path: string, keys: readonly string[], timeoutMs: number): Promise<void> {
    const { connection, names, slot } = this.settings
    const groups = groupBySlot(keys.map((key) => names.entry(path, key)), (name) => name, slot)
    await Promise.all(groups.map((group) => connection.send(['UNLINK', ...group], { route: group[0] as string, timeoutMs })))
  }

  /** Keeps a lease while its owner loads. Returns a function that ends that; whether the lease is still ours shows when it is used. */
  keepAlive({ id, path, key }: Lease, timeoutMs: number): () => void {
    const { connection, names } = this.settings
    const lease = names.lease(names.entry(path, key))
    const renew = () => connection.run(renewScript, [lease], [id, String(LEASE_MS)], timeoutMs).catch(() => {})
    const timer = setInterval(renew, LEASE_MS / 3)
    timer.unref()
    return () => clearInterval(timer)
  }

  /** Gives a lease back that is not going to be used, so that others need not wait for its end. */
  release({ id, path, key }: Omit<Lease, 'tokens'>, timeoutMs: number, after?: 'keeping-nothing'): void {
    const { connection, names } = this.settings
    connection.run(releaseScript, [names.lease(names.entry(path, key))], [id, after === undefined ? '' : String(MARK_MS)], timeoutMs).catch(() => {})
  }

  /** The tokens an entry carries, by their ids, as Redis has them. */
  carriedBy({ tokens }: Usable): Map<string, string> {
    return new Map(tokens.map(({ id, written }) => [id, written]))
  }

  decode({ header }: Usable): Decoded | Promise<Decoded> {
    return decodeEntry(header, this.settings.format)
  }

  /**
   * @param writtenAt What Redis has for each of `ids`.
   * @param readAt When it said so.
   */
  #judge(path: string, key: string, entry: Buffer, ids: readonly string[], writtenAt: (index: number) => string, budget: Budget, readAt: number): Judged | Promise<Judged> {
    const { clock, onCorrupt } = this.settings
    const header = readHeader(entry, `${path}\0${key}`)
    if (header.corrupt !== undefined) {
      onCorrupt(header.corrupt)
      return { state: 'useless', entry }
    }
    const now = clock.redisTime(readAt)
    if (header.expiresAt <= now) return { state: 'useless', entry }

    const soFar = header.softExpiresAt > now ? Verdict.Fresh : Verdict.Stale
    const derived = this.#derived(ids)
    const { lastGood } = derived
    if (lastGood !== undefined && hasTagBytes(header, lastGood.tagBytes) && isAsWritten(lastGood.tokens, writtenAt)) {
      return { state: soFar === Verdict.Fresh ? 'fresh' : 'stale', entry, header, tokens: lastGood.tokens }
    }

    const tags = tagsOf(header)
    const tokens: TokenRead[] = []
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as string
      const carried = tags.find(([name]) => name === derived.names[i])?.[1]
      if (carried !== undefined) tokens.push({ id, carried, written: writtenAt(i) })
      // It must depend on its namespace and those above; which labels it has is its own affair.
      else if (id.endsWith('\0g')) return { state: 'useless', entry }
    }
    if (tokens.length < tags.length) return this.#judgeUnknown(path, header, tags, tokens, soFar, budget)
    if (tokens.length === ids.length && tokens.every(({ carried, written }) => carried === written)) derived.lastGood = { tagBytes: tagBytesOf(header), tokens }
    return this.#judged(header, tokens, soFar)
  }

  /** Labels that only the entry names cost a second read. */
  async #judgeUnknown(path: string, header: EntryHeader, tags: readonly (readonly [string, string])[], known: readonly TokenRead[], soFar: Verdict, budget: Budget): Promise<Judged> {
    const { names, reader } = this.settings
    if (this.#judged(header, known, soFar).state === 'useless') return { state: 'useless', entry: header.entry }
    const unknown: { id: string; carried: string }[] = []
    for (const [name, carried] of tags) {
      const id = idInEntry(path, name)
      if (id === undefined) return { state: 'useless', entry: header.entry }
      if (!known.some((token) => token.id === id)) unknown.push({ id, carried })
    }
    const keys = unknown.map(({ id }) => names.token(id))
    const ms = budget.start()
    const batch = reader.join(ms)
    const places = batch.askAll(keys)
    try {
      await batch.arrived(ms)
    } finally {
      budget.stop()
    }
    return this.#judged(header, [...known, ...unknown.map((token, i) => ({ ...token, written: batch.text(places[i] as number) }))], soFar)
  }

  #judged(header: EntryHeader, tokens: readonly TokenRead[], soFar: Verdict): Judged {
    let verdict = soFar
    for (const { carried, written } of tokens) verdict = Math.min(verdict, this.#verdictOn(carried, written))
    const { entry } = header
    return verdict === Verdict.Useless ? { state: 'useless', entry } : { state: verdict === Verdict.Fresh ? 'fresh' : 'stale', entry, header, tokens }
  }

  #verdictOn(carried: string, written: string): Verdict {
    if (carried === written || !this.settings.mechanisms.tokens || carried === currentOf(written)) return Verdict.Fresh
    return carried === expiredOf(written) ? Verdict.Stale : Verdict.Useless
  }

  /** The list of a namespace is the same object every time. */
  #derived(ids: readonly string[]): Derived {
    let derived = this.#derivedFrom.get(ids)
    if (derived === undefined) {
      derived = { keys: ids.map((id) => this.settings.names.token(id)), names: ids.map(nameInEntry), lastGood: undefined }
      this.#derivedFrom.set(ids, derived)
    }
    return derived
  }

  /** Tokens in the entry's slot are handled with it, in one command; on a standalone server these are all. */
  #split(entry: string, ids: readonly string[]): { near: string[]; far: string[] } {
    const { names, slot } = this.settings
    const home = slot(entry)
    const near = ids.filter((id) => slot(names.token(id)) === home)
    return { near, far: near.length === ids.length ? [] : ids.filter((id) => !near.includes(id)) }
  }

  async #makeTokens(ids: readonly string[], tokens: Map<string, string>, ms: number): Promise<void> {
    const { connection, names, slot } = this.settings
    const groups = groupBySlot(ids, (id) => names.token(id), slot)
    await Promise.all(
      groups.map(async (group) => {
        const keys = group.map((id) => names.token(id))
        const written = (await connection.run(tokensScript, keys, [newNonce(), String(TOKEN_TTL_MS)], ms)) as Reply[]
        group.forEach((id, i) => tokens.set(id, String(written[i])))
      }),
    )
  }
}

function isAsWritten(tokens: readonly TokenRead[], writtenAt: (index: number) => string): boolean {
  for (let i = 0; i < tokens.length; i++) if ((tokens[i] as TokenRead).written !== writtenAt(i)) return false
  return true
}

function currentOf(written: string): string {
  const at = written.indexOf('<')
  return at < 0 ? written : written.slice(0, at)
}

function expiredOf(written: string): string | undefined {
  const at = written.indexOf('<')
  return at < 0 ? undefined : written.slice(at + 1)
}
