import type { FinishReason, Outcome } from '../../wire.js'
import { ToolCallIds } from '../../tool-call-ids.js'
import { field, isObject, numberOf, objectsOf, textOf, type Json } from '../json.js'
import type { Protocol } from '../protocol.js'
import { sortedByName } from '../tools.js'
import { streamOf } from './responses-stream.js'

/** What a model itself gives. All else is what the provider's tools have found. */
const OF_THE_MODEL = new Set(['message', 'reasoning', 'function_call', 'custom_tool_call'])
const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed'])

/** Responses of OpenAI. https://platform.openai.com/docs/api-reference/responses */
export const responses: Protocol = {
  kind: 'responses',
  path: '/responses',
  inputOf({ input, tools, background, conversation, ...rest }) {
    // Answered later, or from what the provider has kept and goes on changing.
    if (background === true || (conversation ?? null) !== null) return undefined
    const ids = new ToolCallIds()
    return { ...rest, input: Array.isArray(input) ? input.map((item) => renamed(item, ids)) : input, tools: sortedByName(tools) }
  },
  isLast: ({ data }) => ENDS.has(typeOf(data)),
  join(events) {
    // Some servers end it as they end a chat.
    const last = events.findLast(({ data }) => data !== '[DONE]')
    if (last === undefined || events.some(({ event }) => event === 'error') || !ENDS.has(typeOf(last.data))) return undefined
    const { response } = JSON.parse(last.data) as Json
    return isObject(response) ? response : undefined
  },
  split: streamOf,
  outcomeOf({ object, status, output, incomplete_details, usage, model }): Outcome | undefined {
    if (object !== 'response' || !Array.isArray(output)) return undefined
    const items = objectsOf(output)
    const contents = items.flatMap(({ content }) => objectsOf(content))
    const calls = items.some(({ type }) => type === 'function_call' || type === 'custom_tool_call')
    const isRefused = contents.some(({ type }) => type === 'refusal')
    return {
      finish: [isRefused ? 'content-filter' : finishOf(status, field(incomplete_details, 'reason'), calls)],
      isEmpty: !calls && !contents.some(({ text, type }) => type === 'output_text' && textOf(text) !== ''),
      usage: isObject(usage)
        ? { inputTokens: numberOf(usage.input_tokens), cachedInputTokens: numberOf(field(usage.input_tokens_details, 'cached_tokens')), outputTokens: numberOf(usage.output_tokens) }
        : undefined,
      model: typeof model === 'string' ? model : undefined,
      refused: items.every(({ type }) => OF_THE_MODEL.has(textOf(type))) ? undefined : 'provider-tools',
    }
  },
  isUsageOnly: () => false,
  wantsUsage: () => true,
}

function renamed(item: unknown, ids: ToolCallIds): unknown {
  if (!isObject(item) || item.call_id === undefined) return item
  // The item that makes a call has an id of its own, which nothing refers to.
  const { id: _, ...rest } = item
  return { ...rest, call_id: textOf(item.type).endsWith('_output') ? ids.of(item.call_id) : ids.at(item.call_id) }
}

function finishOf(status: unknown, reason: unknown, calls: boolean): FinishReason {
  if (status === 'completed') return calls ? 'tool-calls' : 'stop'
  if (status !== 'incomplete') return 'error'
  return reason === 'max_output_tokens' ? 'length' : reason === 'content_filter' ? 'content-filter' : 'other'
}

function typeOf(data: string): string {
  // Events are long, and their type comes first.
  const [, type] = /^\s*\{\s*"type"\s*:\s*"([\w.]+)"/.exec(data) ?? []
  if (type !== undefined) return type
  try {
    return textOf(field(JSON.parse(data), 'type'))
  } catch {
    return ''
  }
}
