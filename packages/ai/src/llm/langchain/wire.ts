import { copyOf, sizeOf } from '../plain-data.js'
import { answers, finishOf, type Generation } from './finish.js'
import { isMessage, packMessage, unpackMessage, wholeOf, withoutId, type PackedMessage } from './messages.js'
import { hideUsage, usageOf } from './usage.js'
import type { FinishReason, Outcome, Wire } from '../wire.js'
import type { LangChain } from './library.js'
import type { ChatGeneration, ChatGenerationChunk, ChatResult } from '@langchain/core/outputs'

interface PackedGeneration {
  readonly text: string
  /** Of a model that only completes texts there is none. */
  readonly message?: PackedMessage | undefined
  readonly generationInfo?: Record<string, unknown> | undefined
}

interface PackedResult {
  readonly generations: readonly PackedGeneration[]
  readonly llmOutput?: Record<string, unknown> | undefined
}

/** How chat models of LangChain give answers: in chunks, or as a result. */
export function langChainWire(library: LangChain): Wire<ChatGenerationChunk, ChatResult> {
  const chunkOf = (fields: ConstructorParameters<typeof ChatGenerationChunk>[0]) => new library.ChatGenerationChunk(fields)
  const unpackChunk = (stored: unknown) => chunkOf(unpack(library, stored) as ChatGenerationChunk)
  const unpackResult = (stored: unknown): ChatResult => {
    const { generations, llmOutput } = stored as PackedResult
    return { generations: generations.map((each) => unpack(library, each)), ...(llmOutput === undefined ? {} : { llmOutput: copyOf(llmOutput) }) }
  }
  return {
    name: 'langchain-1',
    part: {
      pack: (chunk) => anonymous(pack(chunk)),
      unpack: unpackChunk,
      isPacked: isGeneration,
      copy: (chunk) => ifPossible(() => unpackChunk(pack(chunk)), chunk),
      bytesOf: sizeOfGeneration,
      withoutUsage: (chunk) => {
        hideUsage(chunk.message)
        return chunk
      },
    },
    whole: {
      pack: ({ generations, llmOutput }) => ({ generations: generations.map((each) => anonymous(pack(each))), ...(llmOutput === undefined ? {} : { llmOutput: copyOf(llmOutput) }) }),
      unpack: unpackResult,
      isPacked: isResult,
      copy: (result) => ifPossible(() => unpackResult({ ...result, generations: result.generations.map(pack) }), result),
      bytesOf: ({ generations }) => generations.reduce((sum, each) => sum + sizeOfGeneration(each), 0),
      withoutUsage: ({ generations, llmOutput }) => {
        for (const { message } of generations as Generation[]) hideUsage(message)
        return { generations, ...(llmOutput === undefined ? {} : { llmOutput: { ...llmOutput, tokenUsage: {} } }) }
      },
    },
    join: (chunks) => join(library, chunks),
    *split({ generations: [first] }) {
      if (first !== undefined) yield chunkOf({ ...first, message: library.convertToChunk(first.message) as ChatGenerationChunk['message'] })
    },
    // How much a model used it may say after why it stopped.
    isLast: () => false,
    outcomeOfParts: (chunks) => outcomeOfChunks(library, chunks),
    outcomeOfWhole: ({ generations }) => outcomeOf(generations, 'stop'),
  }
}

/** A stream of LangChain has no end of its own, so it is complete when the model has said why it stopped. */
function outcomeOfChunks(library: LangChain, chunks: readonly ChatGenerationChunk[]): Outcome | undefined {
  if (chunks.some(({ generationInfo }) => Number(generationInfo?.completion) > 0)) throw new Error('Several answers in one stream are not taken apart')
  const reason = chunks.map(finishOf).findLast((each) => each !== undefined)
  if (reason === undefined) return undefined
  return { ...outcomeOf(join(library, chunks).generations, reason), finish: [reason] }
}

function outcomeOf(generations: readonly Generation[], byDefault: FinishReason): Outcome {
  const messages = generations.map(({ message }) => message).filter((message) => message !== undefined)
  const [metadata] = messages.map((message) => message.response_metadata as Readonly<Record<string, unknown>>)
  const model = metadata?.model_name ?? metadata?.model
  return {
    finish: generations.map((each) => finishOf(each) ?? byDefault),
    isEmpty: generations.length === 0 || !generations.every(answers),
    usage: usageOf(messages),
    model: typeof model === 'string' ? model : undefined,
  }
}

function join(library: LangChain, chunks: readonly ChatGenerationChunk[]): ChatResult {
  const [first, ...rest] = chunks
  if (first === undefined) return { generations: [] }
  let all = first
  for (const chunk of rest) all = all.concat(chunk)
  const { text, generationInfo } = all
  return { generations: [{ text, message: wholeOf(library, all.message), ...(generationInfo === undefined ? {} : { generationInfo }) }] }
}

function pack({ text, message, generationInfo }: Generation): PackedGeneration {
  return { text, ...(message === undefined ? {} : { message: packMessage(message) }), ...(generationInfo === undefined ? {} : { generationInfo: copyOf(generationInfo) }) }
}

function anonymous({ message, ...generation }: PackedGeneration): PackedGeneration {
  return message === undefined ? generation : { ...generation, message: withoutId(message) }
}

function unpack(library: LangChain, stored: unknown): ChatGeneration {
  const { text, message, generationInfo } = stored as PackedGeneration
  const made = message === undefined ? {} : { message: unpackMessage(library, message) }
  return { text, ...made, ...(generationInfo === undefined ? {} : { generationInfo: copyOf(generationInfo) }) } as ChatGeneration
}

function isResult(stored: unknown): boolean {
  const { generations } = (stored ?? {}) as Partial<PackedResult>
  return Array.isArray(generations) && generations.every(isGeneration)
}

function isGeneration(stored: unknown): boolean {
  const { text, message, generationInfo } = (stored ?? {}) as Partial<PackedGeneration>
  return typeof text === 'string' && (message === undefined || isMessage(message)) && (generationInfo === undefined || (typeof generationInfo === 'object' && generationInfo !== null))
}

function sizeOfGeneration({ text, message }: Generation): number {
  return 2 * text.length + sizeOf(message?.additional_kwargs) + sizeOf((message as { tool_calls?: unknown } | undefined)?.tool_calls) + 200
}

/** What has in it what is no data goes from hand to hand as it is. */
function ifPossible<T>(copy: () => T, otherwise: T): T {
  try {
    return copy()
  } catch {
    return otherwise
  }
}
