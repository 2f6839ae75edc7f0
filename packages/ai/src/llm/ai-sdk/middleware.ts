import { ReadableStream } from 'node:stream/web'
import { InvalidOptionError } from '@tiercel/core'
import { isAnsweredAnew, requestOf, withoutOurs, type CallParams, type LanguageModel } from './request.js'
import { aiSdkWire } from './wire.js'
import type { LLMCallOptions } from '../call-options.js'
import type { Call, Engine } from '../engine.js'
import type { GenerateResult, StreamPart } from './parts.js'

/** Options of `llm.middleware()`. */
export interface MiddlewareOptions {
  /**
   * What to do about tools that the provider runs, such as its search of the web. `'bypass'`: calls that offer one go past the cache, and answers for which one ran are not
   * stored, because what it found would go stale unseen. `'cache'`: as with any other call. Default `'bypass'`.
   */
  readonly providerTools?: 'bypass' | 'cache' | undefined
}

/** What `wrapLanguageModel` gives to a middleware, in all versions that there are. */
export interface WrapOptions<Params, Generated, Streamed> {
  readonly doGenerate: () => PromiseLike<Generated>
  readonly doStream: () => PromiseLike<Streamed>
  readonly params: Params
  readonly model: LanguageModel & { doGenerate(params: Params): PromiseLike<Generated>; doStream(params: Params): PromiseLike<Streamed> }
}

/** A middleware for `wrapLanguageModel` of the AI SDK: of `ai` 5, 6 and 7. */
export interface LanguageModelMiddleware {
  readonly specificationVersion: 'v3'
  wrapGenerate<Params extends CallParams, Generated, Streamed>(options: WrapOptions<Params, Generated, Streamed>): Promise<Generated>
  wrapStream<Params extends CallParams, Generated, Streamed>(options: WrapOptions<Params, Generated, Streamed>): Promise<Streamed>
}

interface StreamResult {
  readonly stream: ReadableStream<StreamPart>
}

/**
 * Serves calls of a language model from a cache. Options of one call are in `providerOptions.tiercel`, which the provider does not see.
 *
 * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
 */
export function middleware(engine: Engine, options: MiddlewareOptions = {}): LanguageModelMiddleware {
  const keepsProviderTools = checked(options).providerTools === 'cache'
  const wire = aiSdkWire(keepsProviderTools)
  const serve = (params: CallParams, model: LanguageModel, call: Call<StreamPart, GenerateResult>['call']) =>
    engine.serve({
      request: isAnsweredAnew(params, keepsProviderTools) ? undefined : requestOf(model, params),
      wire,
      call,
      options: params.providerOptions?.tiercel as LLMCallOptions | undefined,
      signal: params.abortSignal,
    })
  return {
    specificationVersion: 'v3',
    async wrapGenerate({ params, model }) {
      const asked = withoutOurs(params)
      // Not by `doGenerate`: it has the abort signal of this caller in it, who may leave before the others that wait for the same answer.
      const answer = await serve(params, model, async (signal) => ({ whole: (await model.doGenerate({ ...asked, abortSignal: signal })) as GenerateResult }))
      return (await answer.whole()) as Awaited<ReturnType<typeof model.doGenerate>>
    },
    async wrapStream({ params, model }) {
      const asked = withoutOurs(params)
      let around: object = {}
      const answer = await serve(params, model, async (signal) => {
        const { stream, ...rest } = (await model.doStream({ ...asked, abortSignal: signal })) as StreamResult
        around = rest
        return { parts: stream }
      })
      return { ...around, stream: streamOf(answer.parts()) } as Awaited<ReturnType<typeof model.doStream>>
    },
  }
}

function streamOf(parts: AsyncIterableIterator<StreamPart, undefined>): ReadableStream<StreamPart> {
  return new ReadableStream<StreamPart>(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await parts.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

function checked(options: MiddlewareOptions): MiddlewareOptions {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError("middleware takes an object of options, such as { providerTools: 'cache' }")
  const unknown = Object.keys(options).find((name) => name !== 'providerTools')
  if (unknown !== undefined) throw new InvalidOptionError(`middleware has no option '${unknown.slice(0, 40)}'. It has: providerTools`)
  const { providerTools } = options
  if (providerTools !== undefined && providerTools !== 'bypass' && providerTools !== 'cache') throw new InvalidOptionError("providerTools is 'bypass' or 'cache'")
  return options
}
