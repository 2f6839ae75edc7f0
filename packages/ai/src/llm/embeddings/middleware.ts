import { embedEach } from './embed-each.js'
import { askedOf, withoutOurs, type CallParams, type LanguageModel } from '../ai-sdk/request.js'
import type { LLMCallOptions } from '../call-options.js'
import type { Engine } from '../engine.js'

interface EmbedParams extends CallParams {
  readonly values: string[]
}

/** What `wrapEmbeddingModel` gives to a middleware, in all versions that there are. */
export interface WrapEmbedOptions<Params, Result> {
  readonly doEmbed: () => PromiseLike<Result>
  readonly params: Params
  readonly model: LanguageModel & { doEmbed(params: Params): PromiseLike<Result> }
}

/** A middleware for `wrapEmbeddingModel` of the AI SDK: of `ai` 6 and 7. */
export interface EmbeddingModelMiddleware {
  readonly specificationVersion: 'v3'
  wrapEmbed<Params extends EmbedParams, Result>(options: WrapEmbedOptions<Params, Result>): Promise<Result>
}

/** What an embedding model gives, as far as it is looked into. */
interface EmbedResult {
  readonly embeddings: readonly (readonly number[])[]
  readonly usage?: { readonly tokens: number } | undefined
  readonly providerMetadata?: object | undefined
}

/** Caches each text of a batch by itself. */
export function embeddingMiddleware(engine: Engine): EmbeddingModelMiddleware {
  return {
    specificationVersion: 'v3',
    async wrapEmbed({ params, model }) {
      const { values: _, ...input } = askedOf(params)
      const withoutTiercel = withoutOurs(params)
      const results: EmbedResult[] = []
      const { vectors, hits, savedTokens } = await embedEach<string>(engine, {
        request: { provider: model.provider, model: model.modelId, kind: `ai-sdk embedding ${model.specificationVersion}`, input },
        values: params.values,
        ask: async (values, abortSignal) => {
          const result = (await model.doEmbed({ ...withoutTiercel, values, abortSignal })) as EmbedResult
          results.push(result)
          return { vectors: result.embeddings, tokens: result.usage?.tokens }
        },
        options: params.providerOptions?.tiercel as LLMCallOptions | undefined,
        signal: params.abortSignal,
      })
      const { providerMetadata, ...rest } = results.at(-1) ?? { embeddings: [] }
      // More than one when others asked for a part of the batch, and failed: that part is asked for by itself.
      const asked = results.reduce((sum, { usage }) => sum + (usage?.tokens ?? 0), 0)
      const usage = { tokens: engine.settings.hidesUsage ? asked : asked + savedTokens }
      const saved = hits === 0 ? {} : { tiercel: { hits, savedUsage: { inputTokens: savedTokens, outputTokens: 0 } } }
      const whole = { warnings: [], ...rest, embeddings: vectors.map((vector) => [...vector]), usage, providerMetadata: { ...providerMetadata, ...saved } }
      return whole as unknown as Awaited<ReturnType<typeof model.doEmbed>>
    },
  }
}
