import { stateOf, TokenState, type Token } from '../coherence/index.js'

/** What only few entries have. Kept apart so that the many stay small. */
export interface EntryExtras {
  readonly etag: string | undefined
  /** After a failed load, no further one is tried before this time. */
  retryAt: number
}

/** A value in memory with all that decides whether it may be served. Times are monotonic milliseconds. */
export class Entry {
  extras: EntryExtras | undefined

  constructor(
    readonly value: unknown,
    /** Until when the entry is fresh; 0 once it was expired by hand. */
    public staleAt: number,
    /** Until when it may serve as grace. */
    public deadAt: number,
    /** When the load that gave the value began: what it saw is no older than this. */
    readonly loadedAt: number,
    public ttl: number,
    readonly tokens: readonly Token[],
    etag: string | undefined,
  ) {
    this.extras = etag === undefined ? undefined : { etag, retryAt: 0 }
  }

  isFresh(now: number): boolean {
    return now < this.staleAt && stateOf(this.tokens) === TokenState.Live
  }

  /** Fresh or not, the value was not invalidated and its grace has not run out. */
  isUsable(now: number): boolean {
    return now < this.deadAt && stateOf(this.tokens) !== TokenState.Dead
  }

  /** Whether somebody who allows `grace` past the TTL may be served this. */
  servesWithin(grace: number, now: number): boolean {
    return grace > 0 && this.isUsable(now) && (this.staleAt === 0 || now < this.staleAt + grace)
  }

  expire(): void {
    this.staleAt = 0
  }

  /** For those who hold the entry and have not served it yet: they must not any more. */
  kill(): void {
    this.staleAt = 0
    this.deadAt = 0
  }

  renew(ttl: number, grace: number, now: number): void {
    this.ttl = ttl
    this.staleAt = now + ttl
    this.deadAt = this.staleAt + grace
  }

  get etag(): string | undefined {
    return this.extras?.etag
  }

  postponeLoads(until: number): void {
    if (this.extras === undefined) this.extras = { etag: undefined, retryAt: until }
    else this.extras.retryAt = until
  }

  loadsPostponed(now: number): boolean {
    return this.extras !== undefined && now < this.extras.retryAt
  }
}
