import { ToolCallIds } from '../tool-call-ids.js'
import type { ModelRequest } from '../request.js'

/** What is said to a model, as far as it is looked into. */
export interface CallParams {
  readonly providerOptions?: ProviderOptions | undefined
  readonly abortSignal?: AbortSignal | undefined
  readonly includeRawChunks?: boolean | undefined
}

export interface LanguageModel {
  readonly provider: string
  readonly modelId: string
  readonly specificationVersion: string
}

type ProviderOptions = Readonly<Record<string, Fields>>
type Fields = Readonly<Record<string, unknown>>

/** What differs from call to call, and makes no difference to the answer. */
const NOT_ASKED = new Set(['abortSignal', 'headers', 'includeRawChunks'])
/** Tells the provider what to cache itself, which changes what an answer costs and not what it says. */
const OF_CACHING = new Set(['cacheControl', 'cache_control', 'cachePoint'])

/** All that decides about the answer: everything that is said to the model but for what is known not to matter. */
export function requestOf({ provider, modelId, specificationVersion }: LanguageModel, params: object): ModelRequest {
  const { prompt, tools, ...rest } = askedOf(params)
  const ids = new ToolCallIds()
  return {
    provider,
    model: modelId,
    // Answers have the shape of the version in which they were asked for.
    kind: `ai-sdk ${specificationVersion}`,
    input: {
      ...rest,
      prompt: Array.isArray(prompt) ? prompt.map((message) => messageOf(message, ids)) : prompt,
      tools: Array.isArray(tools) && tools.length > 0 ? tools.map(settled).sort(byName) : undefined,
    },
  }
}

/** What is said to the model, but for what differs from call to call. */
export function askedOf(params: object): Fields {
  return settled(Object.fromEntries(Object.entries(params).filter(([name]) => !NOT_ASKED.has(name))))
}

/** The parameters without what is said to this cache. */
export function withoutOurs<T extends CallParams>(params: T): T {
  if (params.providerOptions?.tiercel === undefined) return params
  const { tiercel: _, ...others } = params.providerOptions
  return { ...params, providerOptions: others }
}

/** Whether the same question may get another answer each time, because the provider remembers, looks something up or was asked to show its own stream. */
export function isAnsweredAnew(params: object, keepsProviderTools: boolean): boolean {
  const { tools, providerOptions, includeRawChunks } = params as { tools?: unknown; includeRawChunks?: unknown; providerOptions?: ProviderOptions }
  if (includeRawChunks === true) return true
  if (!keepsProviderTools && Array.isArray(tools) && tools.some(({ type }: Fields) => type !== 'function')) return true
  return Object.values(providerOptions ?? {}).some(({ conversation, background }) => (conversation ?? undefined) !== undefined || background === true)
}

function messageOf(message: Fields, ids: ToolCallIds): Fields {
  const { content, ...rest } = settled(message)
  return { ...rest, content: Array.isArray(content) ? content.map((part: Fields) => partOf(part, ids)) : content }
}

function partOf(part: Fields, ids: ToolCallIds): Fields {
  const { toolCallId, approvalId, ...rest } = settled(part)
  const isAnswer = part.type === 'tool-result' || part.type === 'tool-approval-response'
  const place = (id: unknown) => (isAnswer ? ids.of(id) : ids.at(id))
  return { ...rest, toolCallId: place(toolCallId), approvalId: place(approvalId) }
}

/** With provider options that matter, or none. */
function settled(fields: Fields): Fields {
  const { providerOptions, ...rest } = fields
  if (typeof providerOptions !== 'object' || providerOptions === null) return fields
  const matter = Object.entries(providerOptions as ProviderOptions)
    .filter(([provider]) => provider !== 'tiercel')
    .map(([provider, options]) => [provider, Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => !OF_CACHING.has(name)))] as const)
    .filter(([, options]) => Object.keys(options).length > 0)
  return { ...rest, providerOptions: matter.length > 0 ? Object.fromEntries(matter) : undefined }
}

function byName(one: Fields, other: Fields): number {
  const [first, second] = [nameOf(one), nameOf(other)]
  return first < second ? -1 : Number(first > second)
}

function nameOf({ name, id }: Fields): string {
  return `${String(name)}\n${String(id)}`
}
