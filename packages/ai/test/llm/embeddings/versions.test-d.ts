import { expectTypeOf, test } from 'vitest'
import type { EmbeddingModelMiddleware as OfVersion6 } from 'ai'
import type { EmbeddingModelMiddleware as OfVersion7 } from 'ai7'
import type { EmbeddingModelMiddleware } from '../../../src/llm/embeddings/middleware.js'

interface GivesText {
  readonly specificationVersion: 'v3'
  wrapEmbed(): Promise<string>
}

test('one middleware for embeddings is one of versions 6 and 7 of the AI SDK', () => {
  expectTypeOf<EmbeddingModelMiddleware>().toExtend<OfVersion6>()
  expectTypeOf<EmbeddingModelMiddleware>().toExtend<OfVersion7>()
  expectTypeOf<GivesText>().not.toExtend<OfVersion6>()
  expectTypeOf<GivesText>().not.toExtend<OfVersion7>()
})
