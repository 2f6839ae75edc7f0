import { Outcome } from './outcome.js'

/** A value that Redis has not been given yet. */
export interface Write {
  readonly key: string
  readonly parcel: Buffer
  /** When the value ends, by the monotonic clock. */
  readonly deadline: number
  /** `overtaken` by a newer value, or `revoked` by an invalidation: Redis must not have it any more. */
  state: 'valid' | 'overtaken' | 'revoked'
  /** Another process has stored the key meanwhile: which of the two is there only Redis knows. */
  contested: boolean
  readonly outcome: Outcome
}

const MOST_BYTES = 32 * 2 ** 20
/** Keys that Redis has to forget. With more of them it is simpler to forget the family. */
const MOST_TO_FORGET = 10_000

/**
 * What is to be written to Redis in the background: for each key the last value only, and no more values than the family holds. One that there is no room for becomes a key
 * to forget, since Redis may hold an older value of it.
 */
export class Writes {
  readonly waiting = new Map<string, Write>()
  readonly sending = new Map<string, Write>()
  readonly #most: number
  #bytes = 0
  #toForget = new Set<string>()
  #forgetsAll = false

  constructor(most: number) {
    this.#most = most
  }

  get isEmpty(): boolean {
    return this.waiting.size === 0 && this.sending.size === 0 && !this.hasToForget
  }

  get hasToForget(): boolean {
    return this.#forgetsAll || this.#toForget.size > 0
  }

  /** What somebody may wait for. */
  get outcomes(): readonly Promise<void>[] {
    return [...this.waiting.values(), ...this.sending.values()].map(({ outcome }) => outcome.promise)
  }

  /** Nobody is to wait for what cannot be sent for now. */
  release(): void {
    for (const { outcome } of this.waiting.values()) outcome.release()
  }

  /** The value of a key that Redis is about to be given. */
  of(key: string): Write | undefined {
    return this.waiting.get(key) ?? this.sending.get(key)
  }

  add(key: string, parcel: Buffer, deadline: number): Write {
    this.#overtake(key)
    this.#toForget.delete(key)
    const write: Write = { key, parcel, deadline, state: 'valid', contested: false, outcome: new Outcome() }
    this.#put(write)
    return write
  }

  /** Tries one once more that came to nothing, if it still is what the key is to have. */
  again(write: Write): boolean {
    if (write.state !== 'valid' || this.waiting.has(write.key)) return false
    this.#put(write)
    return true
  }

  /** Takes the oldest that can be sent: two values of one key are never on their way together. */
  take(): Write | undefined {
    for (const write of this.waiting.values()) {
      if (this.sending.has(write.key)) continue
      this.#remove(write)
      this.sending.set(write.key, write)
      return write
    }
    return undefined
  }

  /** Redis is to have no value of the key. */
  forget(key: string): void {
    this.#overtake(key)
    if (this.#toForget.size < MOST_TO_FORGET) this.#toForget.add(key)
    else {
      this.#toForget.clear()
      this.#forgetsAll = true
    }
  }

  /** An invalidation was missed: what is not in Redis yet may be from before it, and so may be what Redis has in its place. */
  forgetEach(): void {
    const keys = [...this.waiting.keys(), ...this.sending.keys()]
    for (const write of this.sending.values()) write.state = 'revoked'
    for (const key of keys) this.forget(key)
  }

  /** What Redis has to forget now. */
  takeForgotten(): readonly string[] | 'all' {
    const forgotten = this.#forgetsAll ? 'all' : [...this.#toForget]
    this.#toForget.clear()
    this.#forgetsAll = false
    return forgotten
  }

  /** An invalidation made these too old. */
  revoke(matches: (key: string) => boolean): void {
    for (const write of this.sending.values()) if (matches(write.key)) write.state = 'revoked'
    for (const write of this.waiting.values()) {
      if (!matches(write.key)) continue
      write.state = 'revoked'
      this.#remove(write)
      write.outcome.settle()
    }
  }

  #put(write: Write): void {
    this.waiting.set(write.key, write)
    this.#bytes += write.parcel.length
    while (this.waiting.size > this.#most || (this.#bytes > MOST_BYTES && this.waiting.size > 1)) {
      const [oldest] = this.waiting.keys()
      this.forget(oldest as string)
    }
  }

  #overtake(key: string): void {
    const sending = this.sending.get(key)
    if (sending?.state === 'valid') sending.state = 'overtaken'
    const waiting = this.waiting.get(key)
    if (waiting === undefined) return
    waiting.state = 'overtaken'
    this.#remove(waiting)
    waiting.outcome.settle()
  }

  #remove(write: Write): void {
    this.waiting.delete(write.key)
    this.#bytes -= write.parcel.length
  }
}
