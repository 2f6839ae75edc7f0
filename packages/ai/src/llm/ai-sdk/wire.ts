import { copyIfData, copyOf } from './copy.js'
import { join } from './join.js'
import { outcomeOf } from './outcome.js'
import { split } from './split.js'
import { unused } from './usage.js'
import type { GenerateResult, StreamPart } from './parts.js'
import type { Wire } from '../wire.js'

/** How the AI SDK gives answers: in parts, or as a result. */
export function aiSdkWire(keepsProviderTools: boolean): Wire<StreamPart, GenerateResult> {
  return {
    name: 'ai-sdk-1',
    part: {
      pack: copyOf,
      unpack: (stored) => copyOf(checkedPart(stored)),
      copy: copyIfData,
      bytesOf: sizeOf,
      withoutUsage: (part) => (part.type === 'finish' ? unused(part) : part),
    },
    whole: {
      pack: (result) => copyOf(toKeep(result)),
      unpack: (stored) => copyOf(checkedResult(stored)),
      copy: copyIfData,
      bytesOf: (result) => sizeOf(toKeep(result)),
      withoutUsage: unused,
    },
    join,
    split,
    isLast: ({ type }) => type === 'finish',
    outcomeOfParts: (parts) => (parts.some(({ type }) => type === 'finish') && !parts.some(({ type }) => type === 'error') ? outcomeOf(join(parts), keepsProviderTools) : undefined),
    outcomeOfWhole: (result) => outcomeOf(result, keepsProviderTools),
  }
}

/** Without the bodies and headers as they went over the network: they are of that call, long, and the one of the request has the prompt in it. */
function toKeep(result: GenerateResult): GenerateResult {
  return { ...without(result, 'request'), response: without(result.response ?? {}, 'headers', 'body') }
}

function without<T extends object, Name extends string>(fields: T, ...names: readonly Name[]): Omit<T, Name> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !(names as readonly string[]).includes(name))) as Omit<T, Name>
}

function checkedPart(stored: unknown): StreamPart {
  if (typeof (stored as Partial<StreamPart> | null)?.type !== 'string') throw new TypeError('Not a part of a stream')
  return stored as StreamPart
}

function checkedResult(stored: unknown): GenerateResult {
  const { content } = (stored ?? {}) as Partial<GenerateResult>
  if (!Array.isArray(content)) throw new TypeError('Not the result of a call')
  for (const piece of content) checkedPart(piece)
  return stored as GenerateResult
}

/** About how many bytes this takes as JSON, without making it. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 6
  if (value instanceof Uint8Array) return value.byteLength
  let size = 2
  for (const [name, field] of Object.entries(value)) size += name.length + 4 + sizeOf(field)
  return size
}
