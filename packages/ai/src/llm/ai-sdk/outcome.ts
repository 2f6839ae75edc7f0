import type { FinishReason, Outcome } from '../wire.js'
import type { Content, GenerateResult } from './parts.js'
import { usageOf } from './usage.js'

const REASONS = new Set<unknown>(['stop', 'tool-calls', 'length', 'content-filter', 'error'] satisfies FinishReason[])
/** What answers a question, as against what leads to an answer or belongs to one. */
const NO_ANSWER = new Set(['reasoning', 'source'])

/** What can be said of a complete answer. Those for which the provider ran tools are not stored, unless they are to be kept too: what they found would go stale unseen. */
export function outcomeOf({ content, finishReason, usage, response }: GenerateResult, keepsProviderTools: boolean): Outcome {
  const refused = !keepsProviderTools && content.some(ranByProvider) ? 'provider-tools' : undefined
  return { refused, finish: [reasonOf(finishReason)], isEmpty: !content.some(answers), usage: usageOf(usage), model: response?.modelId }
}

function reasonOf(reason: unknown): FinishReason {
  const word = typeof reason === 'object' && reason !== null ? (reason as { unified?: unknown }).unified : reason
  return REASONS.has(word) ? (word as FinishReason) : 'other'
}

function answers({ type, text }: Content): boolean {
  return type === 'text' ? text !== '' : !NO_ANSWER.has(type)
}

function ranByProvider({ type, sourceType, providerExecuted }: Content): boolean {
  // Documents a model has been given; addresses it has been given by a search.
  return providerExecuted === true || (type === 'source' && sourceType === 'url') || type === 'tool-result' || type === 'tool-approval-request'
}
