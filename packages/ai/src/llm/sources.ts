import type { Source } from './answer.js'
import { aboutOf, type Figures } from './figures.js'
import type { Flight } from './flight.js'
import type { LLMRecord } from './record.js'
import type { ModelRequest } from './request.js'
import { savingOf, type Prices, type Saving, type Usage } from './usage.js'
import type { Waiter } from './waiter.js'
import type { Wire } from './wire.js'

/** For whom an answer is given. */
export interface Reading {
  readonly wire: Wire<unknown, unknown>
  readonly request: ModelRequest | undefined
  readonly key: string | undefined
}

/** Gives callers what is stored or under way, and counts what that saves. */
export class Sources {
  constructor(
    private readonly figures: Figures,
    private readonly prices: Prices,
  ) {}

  stored(record: LLMRecord, { wire, request, key }: Reading): Source {
    const ageMs = ageOf(record)
    const saving = this.#savingOf(record.usage ?? undefined, request, record.model)
    this.figures.hit(aboutOf(request, key), ageMs, saving)
    const shape = record.form === 'parts' ? wire.part : wire.whole
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

  /** @param began What the flight has turned out to be. */
  live(flight: Flight, waiter: Waiter, began: { readonly head: unknown; readonly form: 'parts' | 'whole' }, served: 'miss' | 'joined' | 'bypass', { wire, request, key }: Reading): Source {
    const shape = began.form === 'parts' ? wire.part : wire.whole
    let saving: Saving | undefined
    let isCounted = served !== 'joined'
    const count = () => {
      if (isCounted) return
      isCounted = true
      saving = this.#savingOf(flight.outcome?.usage, request, flight.outcome?.model)
      this.figures.join(aboutOf(request, key), saving)
    }
    return {
      served,
      key,
      ...began,
      ageMs: 0,
      next: async () => {
        try {
          const { done, value } = await waiter.next()
          if (!done) return { done: false, value: shape.copy(value) }
        } catch (error) {
          count()
          throw error
        }
        count()
        return { done: true, value: undefined }
      },
      leave: () => {
        count()
        waiter.leave()
      },
      saving: () => saving,
    }
  }

  #savingOf(usage: Usage | undefined, request: ModelRequest | undefined, answeredBy: string | null | undefined): Saving | undefined {
    return usage === undefined ? undefined : savingOf(usage, this.prices, [request?.model, answeredBy ?? undefined])
  }
}

/** Clocks of machines differ: what seems to come from the future has just been made. */
export function ageOf({ createdAt }: LLMRecord): number {
  return Math.max(0, Date.now() - createdAt)
}
