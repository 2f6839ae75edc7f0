import { InvalidArgumentError } from '@tiercel/core'
import { resolveCall, type LLMCallOptions } from '../call-options.js'
import { loadLangChain } from './library.js'
import { requestOf, type Identity } from './request.js'
import { langChainWire } from './wire.js'
import type { Answer } from '../answer.js'
import type { Call, Engine } from '../engine.js'
import type { ModelRequest } from '../request.js'
import type { BaseMessage } from '@langchain/core/messages'
import type { ChatGenerationChunk, ChatResult } from '@langchain/core/outputs'

interface RunManager {
  handleLLMNewToken(token: string, at: { prompt: number; completion: number }, runId: undefined, parentRunId: undefined, tags: undefined, fields: { chunk: ChatGenerationChunk }): Promise<void>
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** A chat model, as far as it is made to do what it does by way of the cache. */
interface ChatModel extends Identity {
  _generate(messages: BaseMessage[], options: CallOptions, runManager?: RunManager): Promise<ChatResult>
  _streamResponseChunks(messages: BaseMessage[], options: CallOptions, runManager?: RunManager): AsyncIterable<ChatGenerationChunk>
}

/** The models behind those that are cached. */
const originals = new WeakMap<object, ChatModel>()

/**
 * The same chat model behind the cache. It inherits from the model, which is left as it is.
 *
 * @throws {InvalidArgumentError} for what is no chat model of LangChain.
 * @throws {InvalidOptionError} for bad options.
 */
export function cachedChatModel<Model extends object>(engine: Engine, given: Model, options: LLMCallOptions | undefined): Model {
  const model = originals.get(given) ?? (given as unknown as ChatModel)
  if (typeof model._generate !== 'function' || typeof model._llmType !== 'function') throw new InvalidArgumentError('langchain takes a chat model of LangChain, such as a ChatOpenAI')
  // Bad options are refused here, and not at the first call.
  resolveCall(options, engine.settings)
  const serve = (messages: BaseMessage[], callOptions: CallOptions, call: Call<ChatGenerationChunk, ChatResult>['call']) => answerOf(engine, model, messages, callOptions, options, call)
  const cached = Object.create(model, {
    _generate: {
      async value(messages: BaseMessage[], callOptions: CallOptions, runManager?: RunManager): Promise<ChatResult> {
        const answer = await serve(messages, callOptions, async (signal) => ({ whole: await model._generate(messages, { ...callOptions, signal }, runManager) }))
        return answer.whole()
      },
    },
  }) as ChatModel
  if (ownOf(model, '_streamResponseChunks') !== undefined) {
    Object.defineProperties(cached, {
      _streamResponseChunks: {
        async *value(messages: BaseMessage[], callOptions: CallOptions, runManager?: RunManager): AsyncGenerator<ChatGenerationChunk> {
          // No run manager: chunks are told to the run of each who reads them.
          const answer = await serve(messages, callOptions, async (signal) => ({ parts: model._streamResponseChunks(messages, { ...callOptions, signal }) }))
          for await (const chunk of answer.parts()) {
            yield chunk
            await runManager?.handleLLMNewToken(chunk.text, { prompt: 0, completion: 0 }, undefined, undefined, undefined, { chunk })
          }
        },
      },
      // Events of a model's own would not come by here. Those of LangChain are made of its chunks.
      _streamChatModelEvents: { value: baseOf(model, '_streamChatModelEvents') },
    })
  }
  originals.set(cached, model)
  return cached as unknown as Model
}

async function answerOf(
  engine: Engine,
  model: ChatModel,
  messages: readonly BaseMessage[],
  { signal, ...callOptions }: CallOptions,
  options: LLMCallOptions | undefined,
  call: Call<ChatGenerationChunk, ChatResult>['call'],
): Promise<Answer<ChatGenerationChunk, ChatResult>> {
  const wire = langChainWire(await loadLangChain())
  return engine.serve({ request: identify(model, messages, callOptions), wire, call, options, signal })
}

/** `undefined` for what has no identity. */
function identify(model: ChatModel, messages: readonly BaseMessage[], options: object): ModelRequest | undefined {
  try {
    return requestOf(model, messages, options)
  } catch {
    return undefined
  }
}

/** The method of the class that all chat models inherit from, and so the one that is furthest up. */
function baseOf(model: object, name: string): unknown {
  let method: unknown
  for (let at: object | null = model; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (Object.hasOwn(at, name)) method = Reflect.get(at, name)
  }
  return method
}

/** What a model has in place of the method of that class, if it has. */
function ownOf(model: object, name: string): unknown {
  const method: unknown = Reflect.get(model, name)
  return method === baseOf(model, name) ? undefined : method
}
