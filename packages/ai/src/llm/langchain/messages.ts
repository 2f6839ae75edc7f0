import { copyOf } from '../plain-data.js'
import type { LangChain } from './library.js'
import type { AIMessageChunk, BaseMessage, StoredMessage } from '@langchain/core/messages'

/** A message as it is stored. */
export interface PackedMessage {
  readonly type: string
  /** Of a stream, to be put together with those before and after it. */
  readonly isChunk: boolean
  readonly data: Readonly<Record<string, unknown>>
}

/** All that a message of any kind is made of. */
const FIELDS = [
  'content', 'name', 'id', 'role', 'additional_kwargs', 'response_metadata', 'usage_metadata', 'tool_calls', 'invalid_tool_calls', 'tool_call_chunks', 'tool_call_id', 'status',
] as const

/** Those that LangChain makes anew from what is stored. */
const KINDS = new Set(['human', 'ai', 'system', 'function', 'tool', 'generic'])

export function packMessage(message: BaseMessage): PackedMessage {
  const fields = message as unknown as Readonly<Record<string, unknown>>
  const data = Object.fromEntries(FIELDS.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]))
  return copyOf({ type: message.getType(), isChunk: 'concat' in message, data })
}

export function unpackMessage(library: LangChain, { type, isChunk, data: stored }: PackedMessage): BaseMessage {
  const data = copyOf(stored)
  if (isChunk && type === 'ai') return new library.AIMessageChunk(data as ConstructorParameters<typeof AIMessageChunk>[0])
  const message = library.mapStoredMessageToChatMessage({ type, data } as unknown as StoredMessage)
  return isChunk ? library.convertToChunk(message) : message
}

/** Whether it can be what `packMessage` has given. */
export function isMessage(stored: unknown): stored is PackedMessage {
  const { type, isChunk, data } = (stored ?? {}) as Partial<PackedMessage>
  if (typeof type !== 'string' || !KINDS.has(type) || typeof isChunk !== 'boolean' || typeof data !== 'object' || data === null) return false
  return typeof data.content === 'string' || Array.isArray(data.content)
}

/** Without the id that it had when it was new: LangChain takes two messages of one id for the same, and a conversation may have an answer twice. */
export function withoutId<T extends PackedMessage>({ data, ...message }: T): PackedMessage {
  const { id: _, ...rest } = data
  return { ...message, data: rest }
}

/** A message of a stream as one that is whole. */
export function wholeOf(library: LangChain, message: BaseMessage): BaseMessage {
  const { data, ...packed } = packMessage(message)
  const { tool_call_chunks: _, ...whole } = data
  return unpackMessage(library, { ...packed, data: whole, isChunk: false })
}
