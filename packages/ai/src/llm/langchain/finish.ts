import type { FinishReason } from '../wire.js'
import type { BaseMessage } from '@langchain/core/messages'

/** What a model gives, of which one that only completes texts has no message. */
export interface Generation {
  readonly text: string
  readonly message?: BaseMessage | undefined
  readonly generationInfo?: Record<string, unknown> | undefined
}

const NAMES = ['finish_reason', 'stop_reason', 'finishReason', 'stopReason', 'done_reason', 'status']

/** What providers call it, in small letters. */
const WORDS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  eos: 'stop',
  complete: 'stop',
  completed: 'stop',
  tool_calls: 'tool-calls',
  tool_call: 'tool-calls',
  tool_use: 'tool-calls',
  function_call: 'tool-calls',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  incomplete: 'length',
  content_filter: 'content-filter',
  content_filtered: 'content-filter',
  guardrail_intervened: 'content-filter',
  refusal: 'content-filter',
  safety: 'content-filter',
}

/** Why a model stopped, if it says so: providers say it in one of several places. */
export function finishOf({ message, generationInfo }: Generation): FinishReason | undefined {
  for (const place of [generationInfo, message?.response_metadata, message?.additional_kwargs]) {
    for (const name of NAMES) {
      const word: unknown = place?.[name]
      if (typeof word === 'string' && word !== '') return WORDS[word.toLowerCase()] ?? 'other'
    }
  }
  return undefined
}

/** What answers a question, as against what leads to an answer. */
export function answers({ text, message }: Generation): boolean {
  if (message === undefined) return text !== ''
  const { content } = message
  const { tool_calls: calls, tool_call_chunks: chunks } = message as { tool_calls?: readonly unknown[]; tool_call_chunks?: readonly unknown[] }
  if ((calls?.length ?? 0) > 0 || (chunks?.length ?? 0) > 0) return true
  if (typeof content === 'string') return content !== ''
  return content.some((block) => (block.type === 'text' || block.type === 'text_delta' ? block.text !== '' && block.text !== undefined : !['reasoning', 'thinking', 'redacted_thinking'].includes(block.type)))
}
