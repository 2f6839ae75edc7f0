import type { HeaderList } from '../fields/header-list.js'

/** How long a response may be used, in milliseconds. */
export interface Lifetime {
  /** How long it is fresh, counted from its origin. */
  readonly freshMs: number
  /** How old it was when it was stored. */
  readonly initialAgeMs: number
  /** How long after that it may be served while it is being renewed. */
  readonly whileRevalidatingMs: number
  /** How long after that it may be served when the handler fails; -1 for never. */
  readonly ifErrorMs: number
  /** Whether a visitor may ask for it though it is stale. */
  readonly mayBeStale: boolean
}

/** What is kept of a response. */
export interface ResponseRecord extends Lifetime {
  /** The key it was stored under, since a hash of it may be all that led here. */
  readonly key: string
  readonly status: number
  /** Empty for the usual one. */
  readonly statusMessage: string
  /** What the handler set; what was there before it is set for every request anew. */
  readonly headers: HeaderList
  /** Names and values in turn of the request headers that select it among the variants of its URL. */
  readonly selecting: HeaderList
  /** Part of the keys of the other variants of its URL, so that they are gone with it. */
  readonly family: string
  /** Whether bearers of an `Authorization` may share it (RFC 9111, section 3.5). */
  readonly forBearers: boolean
  /** Whether visitors with cookies that are not part of the key may: it is marked `public`. */
  readonly isPublic: boolean
  /** When it was stored, by this machine's clock. */
  readonly storedAt: number
}

/** A response as it is used: its record, its body, and how old it is by the clock of this process. */
export class StoredResponse {
  /** When its age was 0, in monotonic milliseconds. */
  readonly #bornAt: number
  #variants: Set<string> | undefined
  #body: Buffer | undefined
  /** No further renewal is begun before this time. */
  renewAt = 0

  constructor(
    readonly record: ResponseRecord,
    /** The body, or what it is the end of. */
    private readonly bytes: Buffer,
    readonly length: number,
    /** How long ago it was stored. */
    elapsedMs: number,
  ) {
    this.#bornAt = performance.now() - elapsedMs - record.initialAgeMs
  }

  /** A view of its own only for those that are asked for: most are not. */
  get body(): Buffer {
    return (this.#body ??= this.bytes.length === this.length ? this.bytes : this.bytes.subarray(this.bytes.length - this.length))
  }

  /** The variants of its URL that this process keeps beside it. */
  get variants(): Set<string> {
    return (this.#variants ??= new Set())
  }

  ageMs(now = performance.now()): number {
    return Math.max(0, now - this.#bornAt)
  }

  /** How long it has been stale; negative while it is fresh. */
  staleMs(now = performance.now()): number {
    return this.ageMs(now) - this.record.freshMs
  }
}
