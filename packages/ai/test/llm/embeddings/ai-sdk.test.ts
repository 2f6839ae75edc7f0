import { createOpenAI } from '@ai-sdk/openai'
import { createLLMCache } from '@tiercel/ai'
import { createCache } from '@tiercel/core'
import { embed, embedMany, wrapEmbeddingModel } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../../core/test/redis/server/index.js'
import { startUpstream, vectorOf, type Upstream } from '../upstream/index.js'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
beforeEach(() => upstream.reset())
afterAll(() => upstream[Symbol.asyncDispose]())

const modelOver = (llm: ReturnType<typeof createLLMCache>) => {
  const openai = createOpenAI({ baseURL: upstream.v1, apiKey: 'sk-test' })
  return wrapEmbeddingModel({ model: openai.embedding('text-embedding-3-small'), middleware: llm.embeddings() })
}

describe('embeddings of the AI SDK', () => {
  test('ask for what is missing only, and say what was used and what was saved', async () => {
    await using llm = createLLMCache({ redis: false, scope: 'tenant', prices: { 'text-embedding-3-small': { input: 1, output: 0 } } })
    const model = modelOver(llm)
    const first = await embedMany({ model, values: ['one', 'four'] })
    expect(first.usage.tokens).toBe(2)
    const second = await embedMany({ model, values: ['four', 'three', 'one'] })
    expect(second.embeddings).toEqual(['four', 'three', 'one'].map((text) => [...vectorOf(text)]))
    expect(second.usage.tokens).toBe(2)
    expect(second.providerMetadata?.tiercel).toEqual({ hits: 2, savedUsage: { inputTokens: 2, outputTokens: 0 } })
    const third = await embed({ model, value: 'one' })
    expect(third).toMatchObject({ embedding: [...vectorOf('one')], usage: { tokens: 0 } })
    expect(upstream.embedded).toEqual(['one', 'four', 'three'])
    expect(llm.stats()).toMatchObject({ hits: 3, misses: 3, saved: { inputTokens: 3, outputTokens: 0, cost: 3e-6 } })
  })

  test('of a model that is put behind the cache twice wait for nobody', async () => {
    await using llm = createLLMCache({ redis: false, scope: 'tenant' })
    const model = wrapEmbeddingModel({ model: modelOver(llm), middleware: llm.embeddings() })
    for (let time = 0; time < 2; time++) expect((await embed({ model, value: 'one' })).embedding).toEqual([...vectorOf('one')])
    expect(upstream.count()).toBe(1)
  })

  test('differ by what is asked of the provider, which is not told of this cache', async () => {
    await using llm = createLLMCache({ redis: false, scope: 'tenant' })
    const model = modelOver(llm)
    await embed({ model, value: 'one', providerOptions: { openai: { dimensions: 3 } } })
    expect((await embed({ model, value: 'one', providerOptions: { openai: { dimensions: 4 } } })).embedding).toHaveLength(4)
    expect((await embed({ model, value: 'one', providerOptions: { openai: { dimensions: 3 }, tiercel: { ttl: '1m' } }, headers: { 'x-trace': '1' } })).embedding).toHaveLength(3)
    expect(upstream.count()).toBe(2)
  })
})

describeWithRedis('vectors in Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  test('serve another process, bit by bit', async () => {
    const process = () => createCache({ redis: redis.url, deadline: '10s' })
    await using one = process()
    await using another = process()
    const values = ['one', 'two']
    await embedMany({ model: modelOver(createLLMCache({ cache: one, scope: 'tenant' })), values })
    const { embeddings } = await embedMany({ model: modelOver(createLLMCache({ cache: another, scope: 'tenant' })), values })
    expect(embeddings).toEqual(values.map((text) => [...vectorOf(text)]))
    expect(upstream.count()).toBe(1)
  })
})
