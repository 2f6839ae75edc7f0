import { BaseChatModel, type BaseChatModelCallOptions, type BaseChatModelParams } from '@langchain/core/language_models/chat_models'
import { AIMessage, AIMessageChunk, type AIMessageFields, type BaseMessage, type UsageMetadata } from '@langchain/core/messages'
import { ChatGenerationChunk, type ChatGeneration, type ChatResult } from '@langchain/core/outputs'
import OpenAI from 'openai'
import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'

interface Options extends BaseChatModelCallOptions {
  readonly tools?: object[]
  readonly temperature?: number
}

interface Fields extends BaseChatModelParams {
  readonly model: string
  readonly baseURL: string
  readonly apiKey?: string
}

/** A chat model as the packages of providers are, over the client of OpenAI. (Theirs for OpenAI runs on later versions of Node.js.) */
export class ChatOverOpenAI extends BaseChatModel<Options> {
  readonly model: string
  readonly #client: OpenAI

  constructor(fields: Fields) {
    super(fields)
    this.model = fields.model
    this.#client = new OpenAI({ baseURL: fields.baseURL, apiKey: fields.apiKey ?? 'sk-test', maxRetries: 0 })
  }

  override _llmType(): string {
    return 'openai'
  }

  override _identifyingParams(): Record<string, unknown> {
    return { model_name: this.model }
  }

  override async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    const { id, choices, usage } = await this.#client.chat.completions.create(this.#body(messages, options), signalOf(options))
    return {
      generations: choices.map((choice) => generationOf(id, this.model, choice, usage)),
      llmOutput: { tokenUsage: { promptTokens: usage?.prompt_tokens, completionTokens: usage?.completion_tokens } },
    }
  }

  override async *_streamResponseChunks(messages: BaseMessage[], options: this['ParsedCallOptions'], runManager?: CallbackManagerForLLMRun): AsyncGenerator<ChatGenerationChunk> {
    const body = { ...this.#body(messages, options), stream: true as const, stream_options: { include_usage: true } }
    for await (const event of await this.#client.chat.completions.create(body, signalOf(options))) {
      const chunk = chunkOf(event)
      yield chunk
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk })
    }
  }

  #body(messages: BaseMessage[], { tools, temperature, stop }: this['ParsedCallOptions']): OpenAI.ChatCompletionCreateParamsNonStreaming {
    const said = messages.map(({ content }) => ({ role: 'user' as const, content: content as string }))
    return { model: this.model, messages: said, ...(tools && { tools: tools as OpenAI.ChatCompletionTool[] }), ...(temperature !== undefined && { temperature }), ...(stop && { stop }) }
  }
}

function generationOf(id: string, model: string, { message, finish_reason }: OpenAI.ChatCompletion.Choice, usage: OpenAI.CompletionUsage | undefined): ChatGeneration {
  const fields = {
    id,
    content: message.content ?? '',
    tool_calls: (message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [{ id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) as object }] : [])),
    response_metadata: { model_name: model, finish_reason },
    usage_metadata: usageOf(usage),
  }
  return { text: fields.content, generationInfo: { finish_reason }, message: new AIMessage(fields as unknown as AIMessageFields) }
}

function chunkOf({ choices: [choice], usage }: OpenAI.ChatCompletionChunk): ChatGenerationChunk {
  const text = choice?.delta.content ?? ''
  const calls = (choice?.delta.tool_calls ?? []).map(({ index, id, function: called }) => ({ index, id, name: called?.name, args: called?.arguments ?? '' }))
  const finish = choice?.finish_reason ?? undefined
  const fields = { content: text, tool_call_chunks: calls, usage_metadata: usageOf(usage ?? undefined) }
  return new ChatGenerationChunk({
    text,
    generationInfo: finish === undefined ? {} : { finish_reason: finish },
    message: new AIMessageChunk(fields as ConstructorParameters<typeof AIMessageChunk>[0]),
  })
}

function usageOf(usage: OpenAI.CompletionUsage | undefined): UsageMetadata | undefined {
  return usage && { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens, total_tokens: usage.total_tokens }
}

function signalOf({ signal }: BaseChatModelCallOptions): { signal: AbortSignal } | undefined {
  return signal === undefined ? undefined : { signal }
}
