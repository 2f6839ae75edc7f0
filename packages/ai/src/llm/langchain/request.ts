import { ToolCallIds } from '../tool-call-ids.js'
import type { ModelRequest } from '../request.js'
import type { BaseMessage } from '@langchain/core/messages'

/** A chat model, as far as it tells what it is. */
export interface Identity {
  readonly lc_kwargs?: Fields
  readonly model?: unknown
  readonly modelName?: unknown
  readonly modelId?: unknown
  readonly constructor: { readonly name: string; lc_name?(): string }
  _llmType(): string
  _identifyingParams?(): Fields
  invocationParams?(options: object): unknown
}

type Fields = Readonly<Record<string, unknown>>

/** What is said of a call, and not to the model. */
const OF_THE_CALL = new Set([
  'signal', 'timeout', 'promptIndex', 'callbacks', 'tags', 'metadata', 'runId', 'runName', 'configurable', 'maxConcurrency', 'recursionLimit', 'config', 'options', 'headers',
  'stream', 'streaming', 'stream_options', 'streamUsage', 'stream_usage',
])
/** What a client is told that makes no difference to the answer. */
const OF_THE_CLIENT = new Set(['cache', 'verbose', 'maxRetries', 'onFailedAttempt', 'defaultHeaders', 'httpAgent', 'fetch', 'dangerouslyAllowBrowser', 'disableStreaming', 'caller'])
const SECRET = /(api|access|secret|auth).?(key|token)|secret|password|credential|authorization/i

/**
 * All that decides about the answer. Models do not all say which they are in the same place, so what they were made with counts too.
 *
 * Throws for what has no identity: instances of classes among the options of the call, of which only their makers know what they stand for.
 */
export function requestOf(model: Identity, messages: readonly BaseMessage[], options: object): ModelRequest {
  const callOptions = Object.fromEntries(Object.entries(options).filter(([name]) => !OF_THE_CALL.has(name) && !name.startsWith('ls_')))
  const ids = new ToolCallIds()
  return {
    provider: model._llmType(),
    model: nameOf(model),
    kind: 'langchain',
    input: {
      class: model.constructor.lc_name?.() ?? model.constructor.name,
      made: described(model.lc_kwargs),
      identity: described(model._identifyingParams?.()),
      // As it is without the options of the call, which are looked at by themselves.
      invocation: described(model.invocationParams?.({})),
      options: strict(callOptions),
      messages: messages.map((message) => messageOf(message, ids)),
    },
  }
}

function nameOf(model: Identity): string {
  const name = [model.model, model.modelName, model.modelId].find((each) => typeof each === 'string' && each !== '')
  return typeof name === 'string' ? name : model._llmType()
}

function messageOf(message: BaseMessage, ids: ToolCallIds): Fields {
  const { name, role, content, tool_calls: calls, tool_call_id: call, status, additional_kwargs: more } = message as unknown as Fields
  // Those of providers are the same calls once more, as they wrote them.
  const { tool_calls: raw, ...others } = (more ?? {}) as Fields
  const isRepeated = Array.isArray(calls) && calls.length > 0
  return {
    type: message.getType(),
    role,
    name,
    content: Array.isArray(content) ? content.map((block: Fields) => blockOf(block, ids)) : strict(content),
    calls: isRepeated ? calls.map(({ name: tool, args, id }: Fields) => ({ tool, args: strict(args), id: ids.at(id) })) : undefined,
    call: ids.of(call),
    status,
    more: strict(isRepeated ? others : { ...others, tool_calls: raw }),
  }
}

function blockOf(block: Fields, ids: ToolCallIds): unknown {
  const { cache_control: _, ...rest } = block
  if (block.type === 'tool_use' || block.type === 'tool_call' || block.type === 'tool_call_chunk') return { ...(strict({ ...rest, id: undefined }) as Fields), id: ids.at(block.id) }
  if (block.type === 'tool_result') return { ...(strict({ ...rest, tool_use_id: undefined }) as Fields), tool_use_id: ids.of(block.tool_use_id) }
  return strict(rest)
}

/** The data in a description of a model: what is no data in it is how it is run. */
function described(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(described)
  if (!isPlain(value)) return typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol' ? undefined : value
  const fields = Object.entries(value).filter(([name]) => !OF_THE_CALL.has(name) && !OF_THE_CLIENT.has(name) && !SECRET.test(name))
  return Object.fromEntries(fields.map(([name, field]) => [name, described(field)]))
}

/** The same, if it is data. LangChain gives its own objects a `toJSON` that leaves out what distinguishes them. */
function strict(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof URL || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(strict)
  if (!isPlain(value)) throw new TypeError('An instance of a class has no identity')
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, strict(field)]))
}

function isPlain(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
