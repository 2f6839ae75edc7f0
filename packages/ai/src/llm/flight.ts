import { TiercelError, type Cache, type CallOptions, type LoadContext } from '@tiercel/core'
import { isLoading } from '@tiercel/core/connection'
import { Pump } from './pump.js'
import { readRecord, recordOf, type LLMRecord } from './record.js'
import { Tape } from './tape.js'
import type { Outcome, Reply, Wire } from './wire.js'

/** How a call is made, and what is done with what it gives. */
export interface FlightPlan {
  readonly wire: Wire<unknown, unknown>
  call(signal: AbortSignal): Promise<Reply<unknown, unknown>>
  readonly maxBytes: number
  /** `undefined` for a call past the cache. */
  readonly place: { readonly cache: Cache; readonly key: string; readonly options: CallOptions } | undefined
  /** Whether what was found will do. */
  isFresh(record: LLMRecord): boolean
  /** The model is asked. */
  onCall(): void
  /** The answer is complete, or as complete as it will be. Resolves to whether it is stored. */
  admits(outcome: Outcome | undefined, flight: Flight, refused: string | undefined): boolean
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
  #isOver = false

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

  /** Does not reject. */
  async run(): Promise<void> {
    try {
      await (this.#plan.place === undefined ? this.#call(undefined) : this.#obtain(this.#plan.place))
    } catch (error) {
      this.#failed(error)
    }
    this.#isOver = true
  }

  async #obtain({ cache, key, options }: NonNullable<FlightPlan['place']>): Promise<void> {
    const { wire, isFresh } = this.#plan
    const { signal } = this.#abandon
    const load = (ctx: LoadContext) => this.#call(ctx)
    try {
      // Nothing has been looked for so far: whoever comes meanwhile can wait here.
      if (cache.getConnectionStatus() === 'disconnected') await cache.ready()
      this.#isSought = true
      const found = await cache.getOrSet<unknown>(key, load, { ...options, signal })
      if (this.#isCalled) return
      const record = readRecord(found, wire.name)
      if (record !== undefined && isFresh(record)) {
        this.#isAnswered = true
        this.#begin({ record })
        return
      }
      await cache.getOrSet<unknown>(key, load, { ...options, bypass: options.bypass === 'write' ? 'both' : 'read', signal })
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
      const reply = await call(this.#signalOf(ctx))
      const { head = null, refused } = reply
      if ('parts' in reply) {
        this.#form = 'parts'
        this.#begin({ head, form: 'parts' })
        const pump = new Pump(reply.parts, (part) => wire.isLast(part))
        await pump.run(async (part) => {
          await this.tape.write(part, wire.part.bytesOf(part))
          if (pump.isAnswered) this.#isAnswered = true
        })
      } else {
        this.#begin({ head, form: 'whole' })
        await this.tape.write(reply.whole, wire.whole.bytesOf(reply.whole))
      }
      this.#isAnswered = true
      this.outcome = refused === undefined ? this.#judge() : undefined
      const record = this.#record(head)
      const isStored = this.#plan.admits(this.outcome, this, record === undefined ? 'form' : refused)
      this.tape.end()
      return isStored ? record : ctx?.skip(record)
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  #judge(): Outcome | undefined {
    const { wire } = this.#plan
    if (!this.tape.isWhole) return undefined
    try {
      return this.#form === 'parts' ? wire.outcomeOfParts(this.tape.items) : wire.outcomeOfWhole(this.tape.items[0])
    } catch {
      return undefined
    }
  }

  /** `undefined` for what cannot be stored. */
  #record(head: unknown): LLMRecord | undefined {
    const { wire } = this.#plan
    if (!this.tape.isWhole) return undefined
    const shape = this.#form === 'parts' ? wire.part : wire.whole
    try {
      return recordOf({ wire: wire.name, form: this.#form, items: this.tape.items.map((item) => shape.pack(item)), head }, this.outcome, Date.now())
    } catch {
      return undefined
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
