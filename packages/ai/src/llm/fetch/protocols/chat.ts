import type { FinishReason, Outcome } from '../../wire.js'
import { ToolCallIds } from '../../tool-call-ids.js'
import { field, isObject, numberOf, objectsOf, textOf, type Json } from '../json.js'
import type { Protocol } from '../protocol.js'
import { sortedByName } from '../tools.js'
import { mergeDelta } from '../deltas.js'

const DONE = '[DONE]'
const FINISH: Readonly<Record<string, FinishReason>> = { stop: 'stop', tool_calls: 'tool-calls', function_call: 'tool-calls', length: 'length', content_filter: 'content-filter' }

/** Chat completions of OpenAI, and of all who speak as it does. https://platform.openai.com/docs/api-reference/chat */
export const chat: Protocol = {
  kind: 'chat',
  path: '/chat/completions',
  inputOf({ messages, tools, ...rest }) {
    const ids = new ToolCallIds()
    return { ...rest, messages: Array.isArray(messages) ? messages.map((message) => renamed(message, ids)) : messages, tools: sortedByName(tools) }
  },
  isLast: ({ data }) => data.startsWith(DONE),
  join(events) {
    if (events.at(-1)?.data.startsWith(DONE) !== true) return undefined
    const choices = new Map<number, Json>()
    const heads: Json[] = []
    let usage: unknown
    for (const { event, data } of events.slice(0, -1)) {
      const chunk: unknown = JSON.parse(data)
      if (!isObject(chunk) || event === 'error' || (chunk.error ?? null) !== null) return undefined
      const { choices: given, usage: used, ...rest } = chunk
      heads.push(rest)
      usage = used ?? usage
      for (const choice of objectsOf(given)) addTo(choices, choice)
    }
    // The first chunk of some providers is about the prompt, and has an empty name.
    const named = heads.find(({ id }) => textOf(id) !== '')
    const sorted = [...choices.values()].sort((a, b) => numberOf(a.index) - numberOf(b.index))
    return { ...heads.at(-1), ...heads[0], ...named, object: 'chat.completion', choices: sorted, ...(isObject(usage) ? { usage } : {}) }
  },
  *split({ choices, usage, ...head }) {
    const chunk = (given: readonly unknown[], more: Json = {}) => ({ event: undefined, data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: given, ...more }) })
    for (const { index, message, logprobs = null, finish_reason, ...more } of objectsOf(choices)) {
      const calls = field(message, 'tool_calls')
      const delta = Array.isArray(calls) ? { ...(message as Json), tool_calls: objectsOf(calls).map((call, i) => ({ index: i, ...call })) } : message
      yield chunk([{ index, delta, logprobs, finish_reason: null }])
      yield chunk([{ index, delta: {}, logprobs: null, finish_reason, ...more }])
    }
    if (isObject(usage)) yield chunk([], { usage })
    yield { event: undefined, data: DONE }
  },
  outcomeOf({ choices, usage, model, error }): Outcome | undefined {
    const given = objectsOf(choices)
    if ((error ?? null) !== null || !Array.isArray(choices) || given.some(({ finish_reason }) => typeof finish_reason !== 'string')) return undefined
    return {
      finish: given.map(({ message, finish_reason }) => (textOf(field(message, 'refusal')) === '' ? (FINISH[textOf(finish_reason)] ?? 'other') : 'content-filter')),
      isEmpty: given.some(({ message }) => isEmpty(message)),
      usage: isObject(usage)
        ? { inputTokens: numberOf(usage.prompt_tokens), cachedInputTokens: numberOf(field(usage.prompt_tokens_details, 'cached_tokens')), outputTokens: numberOf(usage.completion_tokens) }
        : undefined,
      model: typeof model === 'string' ? model : undefined,
      // What a model cites it has been given by a search.
      refused: given.some(({ message }) => objectsOf(field(message, 'annotations')).some(({ type }) => type === 'url_citation')) ? 'provider-tools' : undefined,
    }
  },
  isUsageOnly({ data }) {
    if (!data.includes('"usage"')) return false
    const chunk: unknown = JSON.parse(data)
    return isObject(field(chunk, 'usage')) && objectsOf(field(chunk, 'choices')).length === 0
  },
  wantsUsage: ({ stream_options }) => field(stream_options, 'include_usage') === true,
}

function renamed(message: unknown, ids: ToolCallIds): unknown {
  if (!isObject(message)) return message
  const { tool_calls, tool_call_id } = message
  if (Array.isArray(tool_calls)) return { ...message, tool_calls: tool_calls.map((call: unknown) => (isObject(call) ? { ...call, id: ids.at(call.id) } : call)) }
  return tool_call_id === undefined ? message : { ...message, tool_call_id: ids.of(tool_call_id) }
}

function addTo(choices: Map<number, Json>, { index, delta, finish_reason, logprobs, ...more }: Json): void {
  const at = numberOf(index)
  const before = choices.get(at) ?? {}
  choices.set(at, {
    ...before,
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== null)),
    index: at,
    message: mergeDelta(before.message ?? {}, delta),
    logprobs: mergeDelta(before.logprobs ?? null, logprobs),
    finish_reason: finish_reason ?? before.finish_reason ?? null,
  })
}

/** Whether there is nothing in it that anybody could use. */
function isEmpty(message: unknown): boolean {
  if (!isObject(message)) return true
  const { content, tool_calls, function_call, audio, refusal } = message
  return [content, tool_calls, refusal].every((part) => part === undefined || part === null || (part as { length?: number }).length === 0) && !isObject(function_call) && !isObject(audio)
}
