import type { FinishReason, Outcome } from '../../wire.js'
import { ToolCallIds } from '../../tool-call-ids.js'
import type { ServerSentEvent } from '../events.js'
import { isObject, numberOf, objectsOf, textOf, type Json } from '../json.js'
import type { Protocol } from '../protocol.js'
import { sortedByName } from '../tools.js'

const FINISH: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content-filter',
}
/** What a model itself gives. All else is what the provider's tools have found. */
const OF_THE_MODEL = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use'])

/** Messages of Anthropic. https://docs.anthropic.com/en/api/messages */
export const messages: Protocol = {
  kind: 'messages',
  // Not just any: a message of a thread is posted to `/v1/threads/…/messages`.
  path: '/v1/messages',
  inputOf({ messages: given, system, tools, ...rest }) {
    const ids = new ToolCallIds()
    const known = Array.isArray(given) ? given.map((message: unknown) => (isObject(message) ? { ...message, content: blocksOf(message.content, ids) } : message)) : given
    return { ...rest, messages: known, system: blocksOf(system, ids), tools: sortedByName(blocksOf(tools, ids)) }
  },
  isLast: ({ event }) => event === 'message_stop',
  join(events) {
    if (events.at(-1)?.event !== 'message_stop') return undefined
    let message: Json | undefined
    const blocks: Block[] = []
    for (const { data } of events) {
      const part = JSON.parse(data) as Json
      if (part.type === 'error') return undefined
      if (part.type === 'message_start' && isObject(part.message)) message = part.message
      else if (part.type === 'message_delta' && message !== undefined) {
        message = { ...message, ...(part.delta as Json), usage: { ...(message.usage as Json), ...(part.usage as Json) } }
      } else if (part.type === 'content_block_start') blocks[numberOf(part.index)] = new Block(part.content_block as Json)
      else if (part.type === 'content_block_delta') blocks[numberOf(part.index)]?.add(part.delta as Json)
      else if (part.type === 'content_block_stop') blocks[numberOf(part.index)]?.end()
    }
    if (message === undefined || !Array.from(blocks).every((block) => block?.isEnded)) return undefined
    return { ...message, content: blocks.map((block) => block.content) }
  },
  *split({ content, stop_reason, stop_sequence, usage, ...head }) {
    yield said('message_start', { message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage } })
    for (const [index, block] of objectsOf(content).entries()) {
      const { start, deltas } = begunAndContinued(block)
      yield said('content_block_start', { index, content_block: start })
      for (const delta of deltas) yield said('content_block_delta', { index, delta })
      yield said('content_block_stop', { index })
    }
    yield said('message_delta', { delta: { stop_reason, stop_sequence }, usage })
    yield said('message_stop', {})
  },
  outcomeOf({ type, content, stop_reason, usage, model }): Outcome | undefined {
    if (type !== 'message' || typeof stop_reason !== 'string') return undefined
    const blocks = objectsOf(content)
    return {
      finish: [FINISH[stop_reason] ?? 'other'],
      isEmpty: !blocks.some((block) => block.type === 'tool_use' || textOf(block.text) !== ''),
      usage: isObject(usage) ? usageOf(usage) : undefined,
      model: typeof model === 'string' ? model : undefined,
      refused: blocks.every((block) => OF_THE_MODEL.has(textOf(block.type))) ? undefined : 'provider-tools',
    }
  },
  isUsageOnly: () => false,
  wantsUsage: () => true,
}

/** Without what only decides about the provider's own cache, and with tool calls by position. */
function blocksOf(content: unknown, ids: ToolCallIds): unknown {
  if (!Array.isArray(content)) return content
  return content.map((block: unknown) => {
    if (!isObject(block)) return block
    const { cache_control: _, ...rest } = block
    if (rest.type === 'tool_use') return { ...rest, id: ids.at(rest.id) }
    return rest.type === 'tool_result' ? { ...rest, tool_use_id: ids.of(rest.tool_use_id), content: blocksOf(rest.content, ids) } : rest
  })
}

/** Here tokens that the provider has cached come on top. */
function usageOf(usage: Json): Outcome['usage'] {
  const cachedInputTokens = numberOf(usage.cache_read_input_tokens)
  const inputTokens = numberOf(usage.input_tokens) + cachedInputTokens + numberOf(usage.cache_creation_input_tokens)
  return { inputTokens, cachedInputTokens, outputTokens: numberOf(usage.output_tokens) }
}

/** A block of content as it comes. */
class Block {
  content: Json
  isEnded = false
  #json = ''

  constructor(start: Json) {
    this.content = start
  }

  add({ type, text, thinking, signature, partial_json, citation }: Json): void {
    const { content } = this
    if (type === 'text_delta') this.content = { ...content, text: textOf(content.text) + textOf(text) }
    else if (type === 'thinking_delta') this.content = { ...content, thinking: textOf(content.thinking) + textOf(thinking) }
    else if (type === 'signature_delta') this.content = { ...content, signature: textOf(content.signature) + textOf(signature) }
    else if (type === 'input_json_delta') this.#json += textOf(partial_json)
    else if (type === 'citations_delta') this.content = { ...content, citations: [...objectsOf(content.citations), citation] }
    else throw new TypeError('A kind of delta that is not known')
  }

  end(): void {
    if (this.#json !== '') this.content = { ...this.content, input: JSON.parse(this.#json) as unknown }
    this.isEnded = true
  }
}

/** How a block begins, and what follows. */
function begunAndContinued(block: Json): { readonly start: Json; readonly deltas: readonly Json[] } {
  const { text, citations, thinking, signature, input } = block
  if (block.type === 'text') {
    const cited = objectsOf(citations).map((citation) => ({ type: 'citations_delta', citation }))
    return { start: { ...block, text: '', ...(citations === undefined ? {} : { citations: citations === null ? null : [] }) }, deltas: [{ type: 'text_delta', text }, ...cited] }
  }
  if (block.type === 'thinking') {
    return { start: { ...block, thinking: '', signature: '' }, deltas: [{ type: 'thinking_delta', thinking }, { type: 'signature_delta', signature }] }
  }
  if (input !== undefined) return { start: { ...block, input: {} }, deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(input) }] }
  return { start: block, deltas: [] }
}

function said(type: string, more: Json): ServerSentEvent {
  return { event: type, data: JSON.stringify({ type, ...more }) }
}
