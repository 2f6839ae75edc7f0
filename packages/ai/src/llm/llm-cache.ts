import { setTimeout as pause } from 'node:timers/promises'
import { InvalidArgumentError, InvalidTargetError, type Cache, type InvalidateResult } from '@tiercel/core'
import { middleware, type LanguageModelMiddleware, type MiddlewareOptions } from './ai-sdk/middleware.js'
import { checkTags, type LLMCallOptions } from './call-options.js'
import { embedFunction, type CachedEmbedFunction, type EmbedFunction, type EmbedFunctionOptions } from './embeddings/embed-function.js'
import { embeddingsRoute } from './embeddings/http-route.js'
import { embeddingMiddleware, type EmbeddingModelMiddleware } from './embeddings/middleware.js'
import { userTag, type Engine } from './engine.js'
import { eventNames, type LLMCacheEventName, type LLMCacheListener, type LLMCacheStats } from './figures.js'
import { differences } from './explain.js'
import { requestIn, type HttpAsked } from './fetch/asked.js'
import { callHeaders } from './fetch/call-header.js'
import type { Fetch } from './fetch/http-call.js'
import { fetchThrough } from './fetch/llm-fetch.js'
import { cachedChatModel } from './langchain/chat-model.js'
import { generationCache, type LangChainCache } from './langchain/generation-cache.js'
import type { ModelRequest } from './request.js'
import { scopeOfCall } from './scope.js'
import { wrapFunction, type ArgumentsOf, type LLMWrapOptions, type LLMWrapped } from './wrap/wrap-function.js'

/** Which answers to forget. Several fields name all that any of them names. */
export interface LLMInvalidateTarget {
  /** Of calls that carried any of these tags. */
  tags?: readonly string[]
  /** Of a model, as it is asked for. */
  model?: string
  /** Of a scope. */
  scope?: string
  /** All of them. */
  all?: boolean
}

const CLOSING_MS = 2000

/** A cache for calls of language models. Made by `createLLMCache`. */
export class LLMCache {
  readonly #engine: Engine
  readonly #ownCache: Cache | undefined

  /** @internal */
  constructor(engine: Engine, ownCache: Cache | undefined) {
    this.#engine = engine
    this.#ownCache = ownCache
  }

  /**
   * A middleware for `wrapLanguageModel` of the AI SDK (`ai` 5, 6 and 7), which caches what is generated and what is streamed. Options of one call are in
   * `providerOptions.tiercel`, which the provider does not see.
   *
   * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
   * @example
   * const model = wrapLanguageModel({ model: openai('gpt-5'), middleware: llm.middleware() })
   */
  middleware(options?: MiddlewareOptions): LanguageModelMiddleware {
    return middleware(this.#engine, options)
  }

  /**
   * For LangChain. With a chat model, the same chat model behind the cache: plain and streamed, keyed on all that is said in its messages. Without, what models take as their
   * `cache`, which never throws: LangChain gives it messages as a text, so prompts in which a placeholder stands for what is no text are not cached, nor are models that do not
   * say which they are, nor streams; calls that are made at once are not shared, and an invalidation does not keep out what a model is being asked for. The type of the result
   * is what is expected where it stands.
   *
   * `options` are those of all calls that are made by it.
   *
   * @throws {InvalidOptionError} for bad options.
   * @throws {InvalidArgumentError} for what is no chat model.
   * @example
   * const model = llm.langchain(new ChatOpenAI({ model: 'gpt-5' }), { ttl: '1d' })
   */
  langchain<Cache = LangChainCache>(): Cache
  langchain<Model extends object>(model: Model, options?: LLMCallOptions): Model
  langchain(model?: object, options?: LLMCallOptions): object {
    return model === undefined ? generationCache(this.#engine, options) : cachedChatModel(this.#engine, model, options)
  }

  /**
   * Caches embeddings, each text of a batch by itself: the model is asked for those only which it has not been asked for before. Vectors are stored, and given also when they
   * are new, in the 32 bits for each number that models compute with.
   *
   * Without arguments, a middleware for `wrapEmbeddingModel` of the AI SDK (`ai` 6 and 7). With a function that embeds texts, the same function behind the cache.
   *
   * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
   * @throws {InvalidArgumentError} for what is no function.
   * @example
   * const embed = llm.embeddings((texts) => vectorsOf(texts), { model: 'text-embedding-3-small' })
   */
  embeddings(): EmbeddingModelMiddleware
  embeddings(embed: EmbedFunction, options: EmbedFunctionOptions): CachedEmbedFunction
  embeddings(...given: [] | [EmbedFunction, EmbedFunctionOptions]): EmbeddingModelMiddleware | CachedEmbedFunction {
    return given.length === 0 ? embeddingMiddleware(this.#engine) : embedFunction(this.#engine, ...given)
  }

  /**
   * A `fetch` for any client of OpenAI, of Anthropic, and of servers that speak as they do: chat completions, responses and messages are answered from the cache, plain and as
   * streams, and embeddings text by text; all else is passed on. Options of one call are in a header, which `callHeaders` makes and the provider does not see.
   *
   * Who asks is decided by the `scope`, not by the API key. A response says in `Cache-Status` how it was served, and in `x-tiercel-llm-saved` what a hit saved.
   *
   * @param fetch Makes the calls. Default: the global `fetch`.
   * @example
   * const client = new OpenAI({ fetch: llm.fetch() })
   * await client.chat.completions.create(question, { headers: llm.callHeaders({ ttl: '1d' }) })
   */
  fetch(fetch: Fetch = (input, init) => globalThis.fetch(input, init)): Fetch {
    if (typeof fetch !== 'function') throw new InvalidArgumentError('llm.fetch takes a function such as fetch, or nothing')
    return fetchThrough(this.#engine, fetch, [embeddingsRoute(this.#engine)])
  }

  /**
   * The same function behind the cache. One that gives an async iterable is recorded as it goes, and replayed.
   *
   * @throws {InvalidArgumentError} for what is no function.
   * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
   * @example
   * const ask = llm.wrap((question: string) => model.invoke(question), { key: (question) => question, model: 'llama3' })
   */
  wrap<Args extends unknown[], R>(fn: (...args: Args) => R, options: LLMWrapOptions<ArgumentsOf<Args>, R>): LLMWrapped<Args, R> {
    return wrapFunction(this.#engine, fn, options)
  }

  /** Headers that give one call through `fetch` options of its own. */
  callHeaders(options: LLMCallOptions): Record<string, string> {
    return callHeaders(options)
  }

  /** Forgets answers, in every process. Calls that are under way are served and not stored, and no call that begins later is given theirs. */
  async invalidate(target: LLMInvalidateTarget): Promise<InvalidateResult> {
    const { cache } = this.#engine
    if (target?.all === true) return cache.invalidate({ all: true })
    return cache.invalidate({ tags: this.#tagsOf(target) })
  }

  /**
   * The names of what differs between two calls and makes them two, such as `model`, `temperature` or `messages[2]`; none for calls that share an answer within one scope.
   * Nothing of their text.
   *
   * @throws {InvalidArgumentError} for what is no call that is cached.
   * @example
   * llm.explain({ url, body: a }, { url, body: b }) // ['messages[2]']
   */
  explain(a: HttpAsked | ModelRequest, b: HttpAsked | ModelRequest): string[] {
    return differences(requestIn(a), requestIn(b))
  }

  /** Counters of this process since the cache was made. */
  stats(): LLMCacheStats {
    return this.#engine.figures.stats()
  }

  /**
   * Calls `listener` at every `event`. What it throws is ignored. No event tells anything of what was asked or answered.
   *
   * @returns A function that ends it.
   * @throws {InvalidArgumentError} for an event that does not exist, or a listener that is no function.
   */
  on<Name extends LLMCacheEventName>(event: Name, listener: LLMCacheListener<Name>): () => void {
    if (!eventNames.includes(event)) throw new InvalidArgumentError(`There is no event '${String(event).slice(0, 40)}'. There are: ${eventNames.join(', ')}`)
    if (typeof listener !== 'function') throw new InvalidArgumentError('A listener is a function')
    return this.#engine.figures.on(event, listener)
  }

  /**
   * Closes the cache if it is its own; one that was given is left open. What is complete is stored before, and so is what becomes complete within two seconds; after that answers
   * are served and not stored.
   */
  async close(): Promise<void> {
    await Promise.race([this.#engine.settled(), pause(CLOSING_MS, undefined, { ref: false })])
    await this.#ownCache?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #tagsOf(target: LLMInvalidateTarget): string[] {
    if (typeof target !== 'object' || target === null) throw new InvalidTargetError("Say what to invalidate, such as { tags: ['doc:42'] } or { all: true }")
    const unknown = Object.keys(target).find((field) => !['tags', 'model', 'scope', 'all'].includes(field))
    if (unknown !== undefined) throw new InvalidTargetError(`Nothing can be invalidated by '${unknown.slice(0, 40)}'. It is one of: tags, model, scope, all`)
    // A field that is there and undefined is a lost variable: dropping nothing would hide it.
    for (const [field, value] of Object.entries(target)) {
      if (value === undefined || value === null) throw new InvalidTargetError(`${field} is ${value}: nothing would be invalidated. Leave the field out or give it a value`)
    }
    const { tags = [], model, scope } = target
    checkTags(tags)
    const ids = tags.map(userTag)
    if (model !== undefined) ids.push(this.#engine.keys.tagOfModel(text(model, 'model')))
    if (scope !== undefined) {
      const named = scopeOfCall(this.#engine.settings.scope, text(scope, 'scope'))
      if (named !== undefined) ids.push(this.#engine.keys.tagOfScope(named))
    }
    if (ids.length === 0) throw new InvalidTargetError("Say what to invalidate, such as { tags: ['doc:42'] } or { all: true }")
    return ids
  }
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw new InvalidTargetError(`${field} is a text that is not empty`)
  return value
}
