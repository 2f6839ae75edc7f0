import { copyIfData, copyOf, sizeOf } from '../plain-data.js'
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
      unpack: (stored) => copyOf(stored as StreamPart),
      isPacked: isPart,
      copy: copyIfData,
      bytesOf: sizeOf,
      withoutUsage: (part) => (part.type === 'finish' ? unused(part) : part),
    },
    whole: {
      pack: (result) => copyOf(toKeep(result)),
      unpack: (stored) => copyOf(stored as GenerateResult),
      isPacked: isResult,
      copy: copyIfData,
      bytesOf: (result) => sizeOf(toKeep(result)),
      withoutUsage: unused,
    },
    join: (parts) => join(complete(parts)),
    split,
    isLast: ({ type }) => type === 'finish',
    outcomeOfParts: (parts) => (parts.some(({ type }) => type === 'finish') && !parts.some(({ type }) => type === 'error') ? outcomeOf(join(parts), keepsProviderTools) : undefined),
    outcomeOfWhole: (result) => outcomeOf(result, keepsProviderTools),
  }
}

/** Whoever wants a result and waits for a stream is not to take a part of it for all. */
function complete(parts: readonly StreamPart[]): readonly StreamPart[] {
  const failed = parts.find(({ type }) => type === 'error')
  if (failed !== undefined) throw failed.error
  if (!parts.some(({ type }) => type === 'finish')) throw new TypeError('The stream of the model is not a complete answer')
  return parts
}

/** Without the bodies and headers as they went over the network: they are of that call, long, and the one of the request has the prompt in it. */
function toKeep(result: GenerateResult): GenerateResult {
  return { ...without(result, 'request'), response: without(result.response ?? {}, 'headers', 'body') }
}

function without<T extends object, Name extends string>(fields: T, ...names: readonly Name[]): Omit<T, Name> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !(names as readonly string[]).includes(name))) as Omit<T, Name>
}

function isPart(stored: unknown): boolean {
  return typeof (stored as Partial<StreamPart> | null)?.type === 'string'
}

function isResult(stored: unknown): boolean {
  const { content } = (stored ?? {}) as Partial<GenerateResult>
  return Array.isArray(content) && content.every(isPart)
}
