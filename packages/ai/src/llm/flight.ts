import { TiercelError, type Cache, type CallOptions, type LoadContext } from '@tiercel/core'
import { getOrSetAfterLook, isLoading } from '@tiercel/core/connection'
import { Pump } from './pump.js'
import { readRecord, recordOf, type LLMRecord } from './record.js'
import type { RefusalReason } from './refusal.js'
import { Tape } from './tape.js'
import type { Outcome, Reply, Wire } from './wire.js'

/** How a call is made, and what is done with what it gives. */
export interface FlightPlan {
  readonly wire: Wire<unknown, unknown>
  call(signal: AbortSignal): Promise<Reply<unknown, unknown>>
  readonly maxBytes: number
  /** `undefined` for a call past the cache. */
  readonly place: Place | undefined
  /** The model is asked. */
  onCall(): void
  /** The answer is complete, or as complete as it will be. Gives whether it is stored. */
  admits(answered: Answered): boolean
}

/** Where an answer is looked for and stored. */
export interface Place {
  readonly cache: Cache
  readonly key: string
  readonly options: CallOptions
  /** Whether it has just been looked for in Redis, in vain. */
  readonly isLookedFor: boolean
  /** Whether what was found will do. */
  isFresh(record: LLMRecord): boolean
  /** Another flight to the same place that was broken off. Until it is over the core would give us its load. */
  readonly after: Flight | undefined
}

/** How a call was answered. */
export interface Answered {
  /** `undefined` when the answer is not complete. */
  readonly outcome: Outcome | undefined
  /** Why it cannot be stored, if that is known already. */
  readonly refused: RefusalReason | undefined
  readonly bytes: number
  readonly form: 'parts' | 'whole'
  /** The parts, or the whole as the only one. */
  readonly items: readonly unknown[]
}

/** What a flight turned out to be: an answer that was found, or one that comes. */
export type Beginning = { readonly record: LLMRecord } | { readonly head: unknown; readonly form: 'parts' | 'whole' }

/**
 * One answer on its way, and all who wait for it.
 *
 * The load of the core's `getOrSet` makes the call and records it, so that everything the core promises of loads holds here: one at a time over all processes, none stored that
 * an invalidation has overtaken, Redis within its deadline. What the core does not have is the answer before it is complete: readers of this process take it from the tape.
 */
export class Flight {
  readonly tape: Tape<unknown>
  readonly begun: Promise<Beginning>
  /** Once the answer is complete. */
  outcome: Outcome | undefined
  #begin!: (beginning: Beginning) => void
  #refuse!: (error: unknown) => void
  readonly #abandon = new AbortController()
  readonly #plan: FlightPlan
  #waiters = 0
  #form: 'parts' | 'whole' = 'whole'
  /** Whether the core has begun to look for the answer. */
  #isSought = false
  #isCalled = false
  #isAnswered = false
  /** Nobody can join any more. */
  #isOver = false
  /** Nothing of it is under way any more, in the core either. */
  #hasEnded = false
  #over = Promise.resolve()

  constructor(plan: FlightPlan) {
    this.#plan = plan
    this.tape = new Tape(plan.maxBytes)
    this.begun = new Promise((resolve, reject) => {
      this.#begin = resolve
      this.#refuse = reject
    })
    // Nobody may be left who would be told.
    this.begun.catch(() => {})
  }

  /** Whether a call that begins now may take this answer: as the core decides it of its loads. */
  get isJoinable(): boolean {
    const { place } = this.#plan
    if (place === undefined || this.#abandon.signal.aborted || this.#isOver || !this.tape.isWhole) return false
    return !this.#isSought || isLoading(place.cache, place.key)
  }

  join(): void {
    this.#waiters++
  }

  /** The last one who leaves before the answer is complete breaks it off. */
  leave(): void {
    this.#waiters--
    if (this.#waiters === 0 && !this.#isAnswered) this.#abandon.abort(new DOMException('Everybody who waited for the answer has gone', 'AbortError'))
  }

  /** Takes off. Resolves when nothing can be stored any more, and does not reject. */
  run(): Promise<void> {
    this.#over = this.#run()
    return this.#over
  }

  /** What `run` gives, once it has been called. */
  get over(): Promise<void> {
    return this.#over
  }

  /** Whether all have gone before the answer was complete, and what that leads to is still under way. */
  get isBeingBrokenOff(): boolean {
    return this.#abandon.signal.aborted && !this.#hasEnded
  }

  async #run(): Promise<void> {
    try {
      await (this.#plan.place === undefined ? this.#call(undefined) : this.#obtain(this.#plan.place))
    } catch (error) {
      this.#failed(error)
    }
    this.#isOver = true
    this.#hasEnded = true
  }

  async #obtain({ cache, key, options, isLookedFor, isFresh, after }: Place): Promise<void> {
    const { wire } = this.#plan
    const { signal } = this.#abandon
    const load = (ctx: LoadContext) => this.#call(ctx)
    try {
      // Nothing has been looked for so far: whoever comes meanwhile can wait here.
      if (after !== undefined) await after.over
      if (cache.getConnectionStatus() === 'disconnected') await cache.ready()
      this.#isSought = true
      const found = await (isLookedFor ? getOrSetAfterLook(cache, key, load, { ...options, signal }) : cache.getOrSet<unknown>(key, load, { ...options, signal }))
      if (this.#isCalled) return
      const record = readRecord(found, wire)
      if (record !== undefined && isFresh(record)) {
        this.#isAnswered = true
        this.#begin({ record })
        return
      }
      await cache.getOrSet<unknown>(key, load, { ...options, bypass: 'read', signal })
    } catch (error) {
      // The cache is closed, say. That is no reason not to ask the model.
      if (this.#isCalled || signal.aborted || !TiercelError.is(error)) throw error
      await this.#call(undefined)
    }
  }

  /** Makes the call. Gives what is stored of it. */
  async #call(ctx: LoadContext | undefined): Promise<unknown> {
    this.#isCalled = true
    const { wire, call, onCall } = this.#plan
    try {
      onCall()
      const signal = this.#signalOf(ctx)
      const reply = await call(signal)
      const { head = null, refused } = reply
      if ('parts' in reply) {
        this.#form = 'parts'
        this.#begin({ head, form: 'parts' })
        const pump = new Pump(reply.parts, (part) => wire.isLast(part))
        await pump.run((part) => {
          this.#isAnswered ||= pump.isAnswered
          return this.tape.write(part, wire.part.bytesOf(part))
        }, signal)
      } else {
        this.#begin({ head, form: 'whole' })
        await this.tape.write(reply.whole, wire.whole.bytesOf(reply.whole))
      }
      this.#isAnswered = true
      const record = this.#finish(head, refused)
      this.tape.end()
      return record.isStored ? record.value : ctx?.skip(record.value)
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  /** Judges the answer, and makes what is stored of it, or at least given to those who wait for it in the core. */
  #finish(head: unknown, refused: RefusalReason | undefined): { readonly isStored: boolean; readonly value: LLMRecord | undefined } {
    const { wire, admits } = this.#plan
    const form = this.#form
    const { items, bytes, isWhole } = this.tape
    if (!isWhole) return { isStored: admits({ outcome: undefined, refused: 'too-large', bytes, form, items: [] }), value: undefined }
    try {
      // What a provider reports as failed may look like anything.
      if (refused === undefined) this.outcome = form === 'parts' ? wire.outcomeOfParts(items) : wire.outcomeOfWhole(items[0])
      const shape = form === 'parts' ? wire.part : wire.whole
      const value = recordOf({ wire: wire.name, form, items: items.map((item) => shape.pack(item)), head }, this.outcome, Date.now())
      return { isStored: admits({ outcome: this.outcome, refused, bytes, form, items }), value }
    } catch {
      return { isStored: admits({ outcome: undefined, refused: refused ?? 'form', bytes, form, items }), value: undefined }
    }
  }

  /**
   * Aborted when everybody has gone, also those who wait for the same load in the core: another LLM cache on the same cache. The core also aborts it when it is closed; whoever
   * reads then still gets his answer.
   */
  #signalOf(ctx: LoadContext | undefined): AbortSignal {
    if (ctx === undefined) return this.#abandon.signal
    const upstream = new AbortController()
    const { signal } = this.#abandon
    const onAbort = () => {
      if (ctx.signal.aborted && signal.aborted) upstream.abort(signal.reason)
    }
    ctx.signal.addEventListener('abort', onAbort, { once: true })
    signal.addEventListener('abort', onAbort, { once: true })
    onAbort()
    return upstream.signal
  }

  #failed(error: unknown): void {
    this.#isOver = true
    this.#refuse(error)
    this.tape.fail(error)
  }
}
