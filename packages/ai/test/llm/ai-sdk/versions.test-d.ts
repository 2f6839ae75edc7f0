import { describe, expectTypeOf, test } from 'vitest'
import type { LanguageModelMiddleware as OfVersion6 } from 'ai'
import type { LanguageModelMiddleware as OfVersion5 } from 'ai5'
import type { LanguageModelMiddleware as OfVersion7 } from 'ai7'
import type { LanguageModelMiddleware } from '../../../src/llm/ai-sdk/middleware.js'

interface GivesText {
  readonly specificationVersion: 'v3'
  wrapGenerate(): Promise<string>
}

describe('one middleware is one of', () => {
  test('version 5 of the AI SDK', () => {
    expectTypeOf<OfVersion5>().not.toBeAny()
    expectTypeOf<LanguageModelMiddleware>().toExtend<OfVersion5>()
    expectTypeOf<GivesText>().not.toExtend<OfVersion5>()
  })

  test('version 6', () => {
    expectTypeOf<OfVersion6>().not.toBeAny()
    expectTypeOf<LanguageModelMiddleware>().toExtend<OfVersion6>()
    expectTypeOf<GivesText>().not.toExtend<OfVersion6>()
  })

  test('version 7', () => {
    expectTypeOf<OfVersion7>().not.toBeAny()
    expectTypeOf<LanguageModelMiddleware>().toExtend<OfVersion7>()
    expectTypeOf<GivesText>().not.toExtend<OfVersion7>()
  })
})
