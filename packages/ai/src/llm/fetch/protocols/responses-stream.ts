import type { ServerSentEvent } from '../events.js'
import { objectsOf, textOf, type Json } from '../json.js'

/** The stream that comes to a response: each text in one piece. */
export function* streamOf(response: Json): Generator<ServerSentEvent> {
  let sequence_number = 0
  const event = (type: string, more: Json): ServerSentEvent => ({ event: type, data: JSON.stringify({ type, sequence_number: sequence_number++, ...more }) })
  const begun = { ...response, status: 'in_progress', output: [], usage: null }
  yield event('response.created', { response: begun })
  yield event('response.in_progress', { response: begun })
  for (const [output_index, item] of objectsOf(response.output).entries()) {
    const at = { item_id: item.id, output_index }
    yield event('response.output_item.added', { output_index, item: beginningOf(item) })
    for (const [type, more] of piecesOf(item)) yield event(type, { ...at, ...more })
    yield event('response.output_item.done', { output_index, item })
  }
  yield event(response.status === 'incomplete' ? 'response.incomplete' : response.status === 'completed' ? 'response.completed' : 'response.failed', { response })
}

type Piece = readonly [type: string, more: Json]

/** An item before anything of it has come. */
function beginningOf(item: Json): Json {
  const begun = item.status === undefined ? item : { ...item, status: 'in_progress' }
  if (item.type === 'message') return { ...begun, content: [] }
  if (item.type === 'reasoning') return { ...begun, summary: [] }
  if (item.type === 'function_call') return { ...begun, arguments: '' }
  return item.type === 'custom_tool_call' ? { ...begun, input: '' } : begun
}

function* piecesOf(item: Json): Generator<Piece> {
  if (item.type === 'message') for (const [content_index, part] of objectsOf(item.content).entries()) yield* contentOf(content_index, part)
  if (item.type === 'reasoning') for (const [summary_index, part] of objectsOf(item.summary).entries()) yield* summaryOf(summary_index, part)
  if (item.type === 'function_call') {
    yield ['response.function_call_arguments.delta', { delta: item.arguments }]
    yield ['response.function_call_arguments.done', { arguments: item.arguments, name: item.name }]
  }
  if (item.type === 'custom_tool_call') {
    yield ['response.custom_tool_call_input.delta', { delta: item.input }]
    yield ['response.custom_tool_call_input.done', { input: item.input }]
  }
}

function* contentOf(content_index: number, part: Json): Generator<Piece> {
  const isRefusal = part.type === 'refusal'
  const { logprobs = [] } = part
  yield ['response.content_part.added', { content_index, part: isRefusal ? { ...part, refusal: '' } : { ...part, text: '', annotations: [], logprobs: [] } }]
  if (isRefusal) {
    yield ['response.refusal.delta', { content_index, delta: textOf(part.refusal) }]
    yield ['response.refusal.done', { content_index, refusal: textOf(part.refusal) }]
  } else {
    yield ['response.output_text.delta', { content_index, delta: textOf(part.text), logprobs }]
    for (const [annotation_index, annotation] of objectsOf(part.annotations).entries()) yield ['response.output_text.annotation.added', { content_index, annotation_index, annotation }]
    yield ['response.output_text.done', { content_index, text: textOf(part.text), logprobs }]
  }
  yield ['response.content_part.done', { content_index, part }]
}

function* summaryOf(summary_index: number, part: Json): Generator<Piece> {
  yield ['response.reasoning_summary_part.added', { summary_index, part: { ...part, text: '' } }]
  yield ['response.reasoning_summary_text.delta', { summary_index, delta: textOf(part.text) }]
  yield ['response.reasoning_summary_text.done', { summary_index, text: textOf(part.text) }]
  yield ['response.reasoning_summary_part.done', { summary_index, part }]
}
