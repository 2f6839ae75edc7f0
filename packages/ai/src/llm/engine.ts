import type { Cache } from '@tiercel/core'
import { lookInRedis, type Look } from '@tiercel/core/connection'
import { Answer, type Source } from './answer.js'
import { resolveCall, type CallSettings, type LLMCallOptions } from './call-options.js'
import { aboutOf, Figures } from './figures.js'
import { Flight, type Answered, type FlightPlan } from './flight.js'
import { Keys } from './key.js'
import { ExactLookup, type Lookup, type Question } from './lookup.js'
import type { LLMSettings } from './options.js'
import { refusalOf } from './policy.js'
import { readRecord, type LLMRecord } from './record.js'
import type { RefusalReason } from './refusal.js'
import type { ModelRequest } from './request.js'
import { scopeOfCall } from './scope.js'
import { ageOf, Sources, type Reading } from './sources.js'
import { Waiter, whileWanted } from './waiter.js'
import { askedFor, makeFor } from './within.js'
import type { Reply, Wire } from './wire.js'

/** A call of a model, as an integration makes it. */
export interface Call<Part, Whole> {
  /** `undefined` for a call that is not to be cached. */
  readonly request: ModelRequest | undefined
  readonly wire: Wire<Part, Whole>
  /** Asks the model. The signal is that of all who wait; the caller's own does not belong in the call. */
  call(signal: AbortSignal): Promise<Reply<Part, Whole>>
  readonly options?: LLMCallOptions | undefined
  /** The caller's own: gives up waiting. */
  readonly signal?: AbortSignal | undefined
}

/** One caller, and how he is to be served. */
interface Caller extends Reading {
  readonly call: FlightPlan['call']
  readonly signal: AbortSignal | undefined
}

/** One who has a question that can be answered from the cache. */
interface Asker extends Caller {
  readonly key: string
  readonly question: Question
  readonly settings: CallSettings
  /** The key for whose answer this is asked in turn, if it is. */
  readonly askedFor: string | undefined
  /** What has come of a look into Redis, if one was had. */
  readonly redis: 'not asked' | 'has nothing' | 'does not answer'
}

const NOT_ANSWERED: Look = { value: undefined, hasAnswered: false }

/** What all integrations of an LLM cache speak to. */
export class Engine {
  readonly figures = new Figures()
  readonly keys: Keys
  readonly settings: LLMSettings
  readonly cache: Cache
  readonly #sources: Sources
  readonly #lookups: readonly Lookup[]
  readonly #flights = new Map<string, Flight>()
  readonly #running = new Set<Promise<void>>()

  constructor(settings: LLMSettings, cache: Cache) {
    this.settings = settings
    this.cache = cache
    this.keys = new Keys(settings.secret)
    this.#sources = new Sources(this.figures, settings.prices)
    this.#lookups = [new ExactLookup(cache)]
  }

  /**
   * Answers a call: by what is stored, by the same call under way, or by asking the model.
   *
   * @throws {InvalidOptionError} for bad options of the call. Whatever the call of the model throws, to all who waited for it. The reason of the signal.
   */
  async serve<Part, Whole>({ request, wire, call, options, signal }: Call<Part, Whole>): Promise<Answer<Part, Whole>> {
    const settings = resolveCall(options, this.settings)
    signal?.throwIfAborted()
    const question = this.#identify(request, settings)
    const untyped = wire as Wire<unknown, unknown>
    const source =
      typeof question === 'string'
        ? this.#passBy({ request, wire: untyped, call, signal, key: undefined }, question)
        : this.#answer({ request, wire: untyped, call, signal, key: question.key, question, settings, askedFor: askedFor(signal), redis: 'not asked' })
    return new Answer(source instanceof Promise ? await source : source, wire, this.settings.hidesUsage)
  }

  /** Resolves once nothing is under way any more that could still be stored. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** What is asked, and whose it is; or why nobody can say. */
  #identify(request: ModelRequest | undefined, settings: CallSettings): Question | RefusalReason {
    if (request === undefined) return 'request'
    const scope = scopeOfCall(this.settings.scope, settings.scope)
    if (scope === undefined) return 'scope'
    try {
      return { key: this.keys.of(request, scope), scope, request }
    } catch {
      return 'request'
    }
  }

  #answer(asker: Asker): Source | Promise<Source> {
    const { key, question, settings } = asker
    if (!settings.reads) return this.#ask(asker)
    const [exact, ...more] = this.#lookups
    // Nothing is waited for that is in memory.
    const record = exact?.find(question)
    if (isGood(record, asker)) return this.#sources.stored(record, asker)
    // Whoever has asked for it already has looked; and where Redis is away, or is none, there is nothing to look into.
    const isInVain = this.#flights.get(key)?.isJoinable === true || this.cache.getConnectionStatus() !== 'connected'
    return isInVain && settings.stores && more.length === 0 ? this.#ask(asker) : this.#answerFromElsewhere(asker, more)
  }

  /** A look is far cheaper than to take off, and a miss asks Redis no more often for it. */
  async #answerFromElsewhere(asker: Asker, lookups: readonly Lookup[]): Promise<Source> {
    const looking = lookInRedis(this.cache, asker.key, { tags: this.#labelsOf(asker) }).catch(() => NOT_ANSWERED)
    const { value, hasAnswered } = await whileWanted(looking, asker.signal)
    if (isGood(value, asker)) return this.#sources.stored(value, asker)
    for (const lookup of lookups) {
      const record = await lookup.find(asker.question)
      if (isGood(record, asker)) return this.#sources.stored(record, asker)
    }
    // It has had the time that it may add to a call.
    return this.#ask({ ...asker, redis: hasAnswered ? 'has nothing' : 'does not answer' })
  }

  #ask(asker: Asker): Promise<Source> {
    const { key, settings } = asker
    if (asker.askedFor === key) return this.#wait(this.#callAlone(asker, 'nested'), asker, 'miss')
    const underWay = settings.reads ? this.#flights.get(key) : undefined
    if (underWay?.isJoinable) return this.#wait(underWay, asker, 'joined')
    return this.#wait(settings.stores ? this.#takeOff(asker) : this.#callAlone(asker, 'no-store'), asker, 'miss')
  }

  #labelsOf({ question: { scope, request }, settings: { tags } }: Asker): string[] {
    return [this.keys.tagOfScope(scope), this.keys.tagOfModel(request.model), ...tags.map(userTag)]
  }

  #takeOff(asker: Asker): Flight {
    const { question, settings, wire, call, redis } = asker
    const { key, request } = question
    const about = aboutOf(request, key)
    const { reads, ttlMs } = settings
    const before = this.#flights.get(key)
    const flight = new Flight({
      wire,
      call: (signal) => makeFor(key, signal, () => call(signal)),
      maxBytes: this.settings.policy.maxBytes,
      place: {
        cache: this.cache,
        key,
        // Whatever the cache has as defaults: an answer is kept as it is said here.
        options: { ttl: ttlMs, grace: 0, softTimeout: 0, hardTimeout: 0, refresh: 0, tags: this.#labelsOf(asker), bypass: reads ? undefined : 'read', redis: redis === 'does not answer' ? false : undefined },
        isLookedFor: redis === 'has nothing',
        isFresh: (record) => isWithin(record, settings),
        after: before?.isBeingBrokenOff === true ? before : undefined,
      },
      onCall: () => this.figures.miss(about),
      admits: (answered) => {
        const reason = this.#refusal(request, wire, answered)
        if (reason === undefined) this.figures.store(about, answered.bytes, ttlMs)
        else this.figures.refuse(about, reason)
        return reason === undefined
      },
    })
    this.#flights.set(key, flight)
    this.#run(flight, key)
    return flight
  }

  /** A call that is neither stored nor shared. */
  #callAlone({ wire, call, request, key }: Caller, reason: RefusalReason): Flight {
    const about = aboutOf(request, key)
    this.figures.refuse(about, reason)
    const onCall = () => {
      if (key !== undefined) this.figures.miss(about)
    }
    const made = (signal: AbortSignal) => (key === undefined ? call(signal) : makeFor(key, signal, () => call(signal)))
    const flight = new Flight({ wire, call: made, maxBytes: this.settings.policy.maxBytes, place: undefined, onCall, admits: () => false })
    this.#run(flight, undefined)
    return flight
  }

  /** A call that has nothing to do with the cache. */
  async #passBy(caller: Caller, reason: RefusalReason): Promise<Source> {
    const flight = this.#callAlone(caller, reason)
    const waiter = new Waiter(flight, caller.signal)
    const began = await waiter.begun()
    if ('record' in began) throw new TypeError('A call past the cache was answered by it')
    return this.#sources.live(flight, waiter, began, 'bypass', caller)
  }

  async #wait(flight: Flight, asker: Asker, served: 'miss' | 'joined'): Promise<Source> {
    const waiter = new Waiter(flight, asker.signal)
    const began = await waiter.begun()
    if (!('record' in began)) return this.#sources.live(flight, waiter, began, served, asker)
    waiter.leave()
    const { record } = began
    if (isWithin(record, asker.settings)) return this.#sources.stored(record, asker)
    // Who began the flight was content with an older one.
    const anew = { ...asker, settings: { ...asker.settings, reads: false } }
    return this.#wait(this.#takeOff(anew), anew, 'miss')
  }

  #run(flight: Flight, key: string | undefined): void {
    const running = flight.run().finally(() => {
      this.#running.delete(running)
      if (key !== undefined && this.#flights.get(key) === flight) this.#flights.delete(key)
    })
    this.#running.add(running)
  }

  #refusal(request: ModelRequest, wire: Wire<unknown, unknown>, { outcome, refused, bytes, form, items }: Answered): RefusalReason | undefined {
    if (refused !== undefined) return refused
    return refusalOf(this.settings.policy, request, outcome, bytes, () => (form === 'parts' ? wire.join(items) : items[0]))
  }
}

/** The tag of a caller's own, which can be none of ours. */
export function userTag(tag: string): string {
  return `t:${tag}`
}

function isGood(stored: unknown, { wire, settings }: Asker): stored is LLMRecord {
  const record = readRecord(stored, wire)
  return record !== undefined && isWithin(record, settings)
}

function isWithin(record: LLMRecord, { maxAgeMs }: CallSettings): boolean {
  return ageOf(record) <= maxAgeMs
}
