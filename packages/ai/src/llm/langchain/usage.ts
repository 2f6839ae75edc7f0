import type { Usage } from '../usage.js'
import type { BaseMessage, UsageMetadata } from '@langchain/core/messages'

/** Where providers repeat in the metadata of a message what it used. */
const REPEATED = new Set(['tokenUsage', 'estimatedTokenUsage', 'usage'])

export function usageOf(messages: readonly BaseMessage[]): Usage | undefined {
  const known = messages.map(usageOfMessage).filter((usage) => usage !== undefined)
  if (known.length === 0) return undefined
  return { inputTokens: sum(known, 'inputTokens'), cachedInputTokens: sum(known, 'cachedInputTokens'), outputTokens: sum(known, 'outputTokens') }
}

/** Makes a message of a reader's own report that no tokens were used, and what was saved in `response_metadata.tiercel`. */
export function hideUsage(message: BaseMessage | undefined): void {
  if (message === undefined) return
  const saved = usageOfMessage(message)
  const metadata = Object.fromEntries(Object.entries(message.response_metadata).filter(([name]) => !REPEATED.has(name)))
  message.response_metadata = saved === undefined ? metadata : { ...metadata, tiercel: { savedUsage: saved } }
  const ofModel = message as { usage_metadata?: UsageMetadata | undefined }
  if (ofModel.usage_metadata !== undefined) ofModel.usage_metadata = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }
}

function usageOfMessage(message: BaseMessage): Required<Usage> | undefined {
  const { usage_metadata: usage } = message as { usage_metadata?: UsageMetadata | undefined }
  if (usage === undefined) return undefined
  return { inputTokens: usage.input_tokens, cachedInputTokens: usage.input_token_details?.cache_read ?? 0, outputTokens: usage.output_tokens }
}

function sum(usages: readonly Required<Usage>[], name: keyof Usage): number {
  return usages.reduce((total, usage) => total + (usage[name] ?? 0), 0)
}
