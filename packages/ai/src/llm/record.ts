import type { Usage } from './usage.js'
import type { FinishReason, Outcome, Wire } from './wire.js'

const VERSION = 1

/** An answer as it is stored. */
export interface LLMRecord {
  readonly version: typeof VERSION
  /** The name of the wire that reads it. */
  readonly wire: string
  readonly form: 'parts' | 'whole'
  /** The packed parts, or the packed whole as the only one. */
  readonly items: readonly unknown[]
  readonly head: unknown
  readonly finish: readonly FinishReason[]
  readonly usage: Usage | null
  /** As the model calls itself. */
  readonly model: string | null
  /** When the answer was complete, in ms since 1970. */
  readonly createdAt: number
}

export interface Recorded {
  readonly wire: string
  readonly form: 'parts' | 'whole'
  readonly items: readonly unknown[]
  readonly head: unknown
}

export function recordOf({ wire, form, items, head = null }: Recorded, outcome: Outcome | undefined, createdAt: number): LLMRecord {
  return { version: VERSION, wire, form, items, head, finish: outcome?.finish ?? [], usage: given(outcome?.usage), model: outcome?.model ?? null, createdAt }
}

/** Without fields that are `undefined`, which would cost every answer the fast way through the codec. */
function given(usage: Usage | undefined): Usage | null {
  if (usage === undefined) return null
  const { inputTokens, cachedInputTokens, outputTokens } = usage
  return cachedInputTokens === undefined ? { inputTokens, outputTokens } : { inputTokens, cachedInputTokens, outputTokens }
}

/** Those that were looked over: what is in memory is looked over once. */
const checked = new WeakSet<object>()

/** What is stored under a key, if it is an answer that this wire can read. Anybody may have written it: in Redis it is not ours alone. */
export function readRecord(stored: unknown, wire: Wire<unknown, unknown>): LLMRecord | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const record = stored as LLMRecord
  if (record.wire !== wire.name) return undefined
  if (checked.has(record)) return record
  const { version, form, items, head, finish, usage, model, createdAt } = record
  if (version !== VERSION || !(form === 'parts' || form === 'whole') || !Array.isArray(items) || !Array.isArray(finish)) return undefined
  if (typeof createdAt !== 'number' || !isUsage(usage) || !(model === null || typeof model === 'string')) return undefined
  const shape = form === 'parts' ? wire.part : wire.whole
  if ((form === 'whole' && items.length !== 1) || wire.isHead?.(head) === false || !items.every((item) => shape.isPacked?.(item) ?? true)) return undefined
  checked.add(record)
  return record
}

function isUsage(usage: unknown): boolean {
  if (usage === null) return true
  if (typeof usage !== 'object') return false
  // What is added up must be a number for good: one that is none would spoil every sum.
  const { inputTokens, cachedInputTokens = 0, outputTokens } = usage as Partial<Usage>
  return [inputTokens, cachedInputTokens, outputTokens].every(Number.isFinite)
}
