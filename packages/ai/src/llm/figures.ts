import type { RefusalReason } from './refusal.js'
import type { ModelRequest } from './request.js'
import type { Saving } from './usage.js'

/** What happened in an LLM cache of this process since it was made. */
export interface LLMCacheStats {
  /** Calls answered by what was stored. */
  readonly hits: number
  /** Calls for which a model was asked. */
  readonly misses: number
  /** Calls that were given the answer of another call under way. */
  readonly joins: number
  /** Calls that went past the cache, and answers that were not stored, by the reason. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  /** What hits and joins did not cost. */
  readonly saved: {
    readonly inputTokens: number
    readonly outputTokens: number
    /** Of the models that have a price. */
    readonly cost: number
  }
}

/** Whom an event is about. Nothing of what was asked or answered. */
export interface AboutCall {
  readonly provider: string
  readonly model: string
  readonly kind: string
  /** The hash under which the answer is stored; `undefined` for a call that has none. */
  readonly key: string | undefined
}

export function aboutOf(request: ModelRequest | undefined, key: string | undefined): AboutCall {
  return { provider: request?.provider ?? '', model: request?.model ?? '', kind: request?.kind ?? '', key }
}

/** What happens in an LLM cache, by name. */
export interface LLMCacheEvents {
  hit: AboutCall & { readonly ageMs: number; readonly saving: Saving | undefined }
  miss: AboutCall
  /** At the end of the answer; without a saving if the caller left before it, or the other call failed. */
  join: AboutCall & { readonly saving: Saving | undefined }
  /** An answer was complete and given to the cache to keep. */
  store: AboutCall & { readonly bytes: number; readonly ttlMs: number }
  refuse: AboutCall & { readonly reason: RefusalReason }
}

export type LLMCacheEventName = keyof LLMCacheEvents
export type LLMCacheListener<Name extends LLMCacheEventName> = (event: LLMCacheEvents[Name]) => void

export const eventNames: readonly LLMCacheEventName[] = ['hit', 'miss', 'join', 'store', 'refuse']

/** Counts, and tells who listens. */
export class Figures {
  #hits = 0
  #misses = 0
  #joins = 0
  readonly #refused = new Map<RefusalReason, number>()
  readonly #saved = { inputTokens: 0, outputTokens: 0, cost: 0 }
  readonly #listeners = new Map<LLMCacheEventName, ReadonlySet<(event: never) => unknown>>()

  hit(about: AboutCall, ageMs: number, saving: Saving | undefined): void {
    this.#hits++
    this.#save(saving)
    this.#tell('hit', () => ({ ...about, ageMs, saving }))
  }

  miss(about: AboutCall): void {
    this.#misses++
    this.#tell('miss', () => about)
  }

  join(about: AboutCall, saving: Saving | undefined): void {
    this.#joins++
    this.#save(saving)
    this.#tell('join', () => ({ ...about, saving }))
  }

  store(about: AboutCall, bytes: number, ttlMs: number): void {
    this.#tell('store', () => ({ ...about, bytes, ttlMs }))
  }

  refuse(about: AboutCall, reason: RefusalReason): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1)
    this.#tell('refuse', () => ({ ...about, reason }))
  }

  stats(): LLMCacheStats {
    return { hits: this.#hits, misses: this.#misses, joins: this.#joins, refused: Object.fromEntries(this.#refused), saved: { ...this.#saved } }
  }

  on<Name extends LLMCacheEventName>(name: Name, listener: LLMCacheListener<Name>): () => void {
    // Replaced, never changed: a listener may end itself while the others are told.
    this.#listeners.set(name, new Set(this.#listeners.get(name)).add(listener))
    return () => {
      const left = new Set(this.#listeners.get(name))
      left.delete(listener)
      this.#listeners.set(name, left)
    }
  }

  #save(saving: Saving | undefined): void {
    if (saving === undefined) return
    this.#saved.inputTokens += saving.inputTokens
    this.#saved.outputTokens += saving.outputTokens
    this.#saved.cost += saving.cost ?? 0
  }

  #tell<Name extends LLMCacheEventName>(name: Name, eventOf: () => LLMCacheEvents[Name]): void {
    const listeners = this.#listeners.get(name)
    // Nothing is made for nobody.
    if (listeners === undefined || listeners.size === 0) return
    const event = eventOf() as never
    for (const listener of listeners) {
      try {
        const result = listener(event)
        if (result instanceof Promise) result.catch(() => {})
      } catch {
        // A listener that fails is no reason to fail the call.
      }
    }
  }
}
