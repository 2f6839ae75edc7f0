import { createOpenAI } from '@ai-sdk/openai'
import { embedMany, generateText, streamText } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startUpstream, vectorOf, type Upstream } from './index.js'

let upstream: Upstream
let openai: ReturnType<typeof createOpenAI>

beforeAll(async () => {
  upstream = await startUpstream()
  openai = createOpenAI({ baseURL: upstream.v1, apiKey: 'sk-test' })
})
beforeEach(() => upstream.reset())
afterAll(() => upstream[Symbol.asyncDispose]())

describe('the AI SDK reads', () => {
  test.each(['chat', 'responses'] as const)('the same text by %s, plain and as a stream', async (api) => {
    upstream.answer('multi-byte')
    const ask = { model: openai[api]('gpt-4o-mini'), prompt: 'Hello' }
    const plain = await generateText(ask)
    expect(await streamText(ask).text).toBe(plain.text)
    expect(plain.text).toContain('👩‍🚀')
    expect(upstream.count(api)).toBe(2)
  })

  test('what a model thought', async () => {
    upstream.answer('reasoning')
    const { reasoningText, usage } = await generateText({ model: openai.responses('gpt-5-mini'), prompt: 'Hello' })
    expect(reasoningText).toBe('The user wants a capital.')
    expect(usage.outputTokenDetails.reasoningTokens).toBe(128)
  })

  test('vectors', async () => {
    const { embeddings } = await embedMany({ model: openai.embedding('text-embedding-3-small'), values: ['one', 'two'] })
    expect(embeddings).toEqual([[...vectorOf('one')], [...vectorOf('two')]])
  })
})
