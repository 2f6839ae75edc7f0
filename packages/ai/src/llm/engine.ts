import type { Cache } from '@tiercel/core'
import { Answer, type Source } from './answer.js'
import { resolveCall, type CallSettings, type LLMCallOptions } from './call-options.js'
import { Figures, type AboutCall } from './figures.js'
import { Flight } from './flight.js'
import { Keys } from './key.js'
import { ExactLookup, type Lookup, type Question } from './lookup.js'
import type { LLMSettings } from './options.js'
import { refusalOf, type RefusalReason } from './policy.js'
import { readRecord, type LLMRecord } from './record.js'
import type { ModelRequest } from './request.js'
import { scopeOfCall } from './scope.js'
import { savingOf, type Saving, type Usage } from './usage.js'
import type { Outcome, Reply, Wire } from './wire.js'

/** A call of a model, as an integration sees it. */
export interface Call<Part, Whole> {
  /** `undefined` for a call that is not to be cached. */
  readonly request: ModelRequest | undefined
  readonly wire: Wire<Part, Whole>
  /** Asks the model. The signal is that of all who wait, never of one of them: headers and signals of the caller's own do not belong in it. */
  call(signal: AbortSignal): Promise<Reply<Part, Whole>>
  readonly options?: LLMCallOptions | undefined
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined
}

/** What all integrations of an LLM cache speak to. */
export class Engine {
  readonly figures = new Figures()
  readonly keys: Keys
  readonly #settings: LLMSettings
  readonly #cache: Cache
  readonly #lookups: readonly Lookup[]
  readonly #flights = new Map<string, Flight>()
  readonly #running = new Set<Promise<void>>()

  constructor(settings: LLMSettings, cache: Cache) {
    this.#settings = settings
    this.#cache = cache
    this.keys = new Keys(settings.secret)
    this.#lookups = [new ExactLookup(cache)]
  }

  get cache(): Cache {
    return this.#cache
  }

  get settings(): LLMSettings {
    return this.#settings
  }

  /**
   * Answers a call: by what is stored, by the same call under way, or by asking the model.
   *
   * @throws {InvalidOptionError} for bad options of the call. Whatever the call of the model throws, to all who waited for it. The reason of the signal.
   */
  async serve<Part, Whole>(call: Call<Part, Whole>): Promise<Answer<Part, Whole>> {
    const settings = resolveCall(call.options, this.#settings)
    call.signal?.throwIfAborted()
    const question = this.#identify(call.request, settings)
    const source = typeof question === 'string' ? await this.#pass(call, question) : await this.#find(call, question, settings)
    return new Answer(source, call.wire, this.#settings.hidesUsage)
  }

  /** Resolves once nothing is under way any more that could still be stored. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** What is asked, and whose it is; or why nobody can say. */
  #identify(request: ModelRequest | undefined, settings: CallSettings): Question | RefusalReason {
    if (request === undefined) return 'request'
    const scope = scopeOfCall(this.#settings.scope, settings.scope)
    if (scope === undefined) return 'scope'
    try {
      return { key: this.keys.of(request, scope), scope, request }
    } catch {
      return 'request'
    }
  }

  async #find<Part, Whole>(call: Call<Part, Whole>, question: Question, settings: CallSettings): Promise<Source> {
    if (settings.reads) {
      for (const lookup of this.#lookups) {
        const finding = lookup.find(question)
        const record = readRecord(finding instanceof Promise ? await finding : finding, call.wire.name)
        if (record !== undefined && isWithin(record, settings)) return this.#sourceOf(record, call, question)
      }
    }
    const joined = settings.reads && settings.stores ? this.#flights.get(question.key) : undefined
    if (joined?.isJoinable) return this.#wait(joined, call, question, settings, 'joined')
    return this.#wait(this.#takeOff(call, question, settings), call, question, settings, 'miss')
  }

  #takeOff<Part, Whole>(call: Call<Part, Whole>, question: Question, settings: CallSettings): Flight {
    const about = aboutOf(call.request, question.key)
    const { reads, stores, ttlMs, tags } = settings
    const bypass = reads ? (stores ? undefined : 'write') : stores ? 'read' : 'both'
    const ours = [this.keys.tagOfScope(question.scope), this.keys.tagOfModel(question.request.model)]
    const flight = new Flight({
      wire: call.wire as Wire<unknown, unknown>,
      call: (signal) => call.call(signal),
      maxBytes: this.#settings.policy.maxBytes,
      // Whatever the cache has as defaults: an answer is stored as it is said here.
      place: { cache: this.#cache, key: question.key, options: { ttl: stores ? ttlMs : 0, grace: 0, softTimeout: 0, hardTimeout: 0, refresh: 0, bypass, tags: [...ours, ...tags.map(userTag)] } },
      isFresh: (record) => isWithin(record, settings),
      onCall: () => this.figures.miss(about),
      admits: (outcome, { tape }, refused) => {
        const reason = stores ? this.#refusal(call, question.request, outcome, tape, refused) : 'no-store'
        if (reason === undefined) this.figures.store(about, tape.bytes, ttlMs)
        else this.figures.refuse(about, reason)
        return reason === undefined
      },
    })
    if (stores) this.#flights.set(question.key, flight)
    this.#track(flight, question.key)
    return flight
  }

  /** A call past the cache. */
  async #pass<Part, Whole>(call: Call<Part, Whole>, reason: RefusalReason): Promise<Source> {
    const about = aboutOf(call.request, undefined)
    this.figures.refuse(about, reason)
    const flight = new Flight({
      wire: call.wire as Wire<unknown, unknown>,
      call: (signal) => call.call(signal),
      maxBytes: this.#settings.policy.maxBytes,
      place: undefined,
      isFresh: () => false,
      onCall: () => {},
      admits: () => false,
    })
    this.#track(flight, undefined)
    return this.#wait(flight, call, undefined, undefined, 'bypass')
  }

  #track(flight: Flight, key: string | undefined): void {
    const running = flight.run().finally(() => {
      this.#running.delete(running)
      if (key !== undefined && this.#flights.get(key) === flight) this.#flights.delete(key)
    })
    this.#running.add(running)
  }

  async #wait<Part, Whole>(flight: Flight, call: Call<Part, Whole>, question: Question | undefined, settings: CallSettings | undefined, served: 'miss' | 'joined' | 'bypass'): Promise<Source> {
    const { signal, wire } = call
    const reader = flight.tape.read()
    flight.join()
    let isGone = false
    const leave = () => {
      if (isGone) return
      isGone = true
      signal?.removeEventListener('abort', onAbort)
      reader.return()
      flight.leave()
    }
    let onEarlyAbort: (reason: unknown) => void = () => {}
    const onAbort = () => {
      reader.fail(signal?.reason)
      leave()
      onEarlyAbort(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const beginning = await (signal === undefined ? flight.begun : Promise.race([flight.begun, new Promise<never>((_, reject) => (onEarlyAbort = reject))]))
      if ('record' in beginning) {
        leave()
        if (question === undefined || settings === undefined) throw new TypeError('a call past the cache was answered by it')
        // Another caller may be content with an older one.
        if (!isWithin(beginning.record, settings)) return await this.#wait(this.#takeOff(call, question, { ...settings, reads: false }), call, question, settings, 'miss')
        return this.#sourceOf(beginning.record, call, question)
      }
      const { head, form } = beginning
      const shape = form === 'parts' ? wire.part : wire.whole
      const about = aboutOf(call.request, question?.key)
      let saving: Saving | undefined
      const end = () => {
        if (served === 'joined' && !isGone) this.figures.join(about, (saving = this.#savingOf(flight.outcome?.usage, call.request?.model, flight.outcome?.model)))
        leave()
      }
      return {
        served,
        key: question?.key,
        head,
        form,
        ageMs: 0,
        next: async () => {
          const { done, value } = await reader.next().catch((error: unknown) => {
            end()
            throw error
          })
          if (!done) return { done: false, value: shape.copy(value as Part & Whole) }
          end()
          return { done, value: undefined }
        },
        leave: end,
        saving: () => saving,
      }
    } catch (error) {
      leave()
      throw error
    }
  }

  #sourceOf<Part, Whole>(record: LLMRecord, call: Call<Part, Whole>, { key }: Question): Source {
    const ageMs = ageOf(record)
    const saving = this.#savingOf(record.usage ?? undefined, call.request?.model, record.model ?? undefined)
    this.figures.hit(aboutOf(call.request, key), ageMs, saving)
    const shape = record.form === 'parts' ? call.wire.part : call.wire.whole
    let at = 0
    return {
      served: 'hit',
      key,
      head: record.head,
      form: record.form,
      ageMs,
      next: async () => (at < record.items.length ? { done: false, value: shape.unpack(record.items[at++]) } : { done: true, value: undefined }),
      leave: () => (at = record.items.length),
      saving: () => saving,
    }
  }

  #refusal<Part, Whole>({ wire }: Call<Part, Whole>, request: ModelRequest, outcome: Outcome | undefined, tape: Flight['tape'], refused: string | undefined): RefusalReason | undefined {
    if (!tape.isWhole) return 'too-large'
    if (refused !== undefined) return refused as RefusalReason
    const whole = () => (tape.items.length === 1 ? tape.items[0] : wire.join(tape.items as Part[]))
    return refusalOf(this.#settings.policy, request, outcome, tape.bytes, whole)
  }

  #savingOf(usage: Usage | undefined, ...models: readonly (string | undefined)[]): Saving | undefined {
    return usage === undefined ? undefined : savingOf(usage, this.#settings.prices, models)
  }
}

/** The tag of a caller's own, which can be none of ours. */
export function userTag(tag: string): string {
  return `t:${tag}`
}

function aboutOf(request: ModelRequest | undefined, key: string | undefined): AboutCall {
  return { provider: request?.provider ?? '', model: request?.model ?? '', kind: request?.kind ?? '', key }
}

function isWithin(record: LLMRecord, { maxAgeMs }: CallSettings): boolean {
  return ageOf(record) <= maxAgeMs
}

/** Clocks of machines differ: what seems to come from the future has just been made. */
function ageOf({ createdAt }: LLMRecord): number {
  return Math.max(0, Date.now() - createdAt)
}
