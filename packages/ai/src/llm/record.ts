import type { FinishReason, Outcome } from './wire.js'
import type { Usage } from './usage.js'

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
export function readRecord(stored: unknown, wire: string): LLMRecord | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const record = stored as LLMRecord
  if (checked.has(record)) return record.wire === wire ? record : undefined
  if (record.version !== VERSION || record.wire !== wire || !Array.isArray(record.items) || !Array.isArray(record.finish)) return undefined
  if (record.form !== 'parts' && !(record.form === 'whole' && record.items.length === 1)) return undefined
  if (typeof record.createdAt !== 'number' || !isUsage(record.usage) || !(record.model === null || typeof record.model === 'string')) return undefined
  checked.add(record)
  return record
}

function isUsage(usage: unknown): boolean {
  if (usage === null) return true
  if (typeof usage !== 'object') return false
  const { inputTokens, outputTokens } = usage as Partial<Usage>
  return typeof inputTokens === 'number' && typeof outputTokens === 'number'
}
