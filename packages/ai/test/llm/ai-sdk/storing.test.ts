import { openai as ofOpenAI } from '@ai-sdk/openai'
import { generateText, simulateReadableStream, streamText, wrapLanguageModel, type ToolSet } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '@tiercel/core'
import { useGround } from './ground.js'

const ground = useGround()
const hello = { prompt: 'Hello', maxRetries: 0 }
const ofThisCache = (tiercel: Record<string, string | number | boolean | string[]>) => ({ ...hello, providerOptions: { tiercel } })

/** Reads a stream to its end, whatever that is. */
async function drain(model: ReturnType<typeof ground.model>): Promise<void> {
  await streamText({ ...hello, model, onError: () => {} }).consumeStream({ onError: () => {} })
}

describe('not stored is what', () => {
  test.each(['length', 'content-filter', 'empty', 'refusal'])('ended so: %s', async (name) => {
    ground.upstream.answer(name)
    await generateText({ ...hello, model: ground.model() })
    await drain(ground.model())
    await generateText({ ...hello, model: ground.model() })
    expect(ground.upstream.count()).toBe(3)
  })

  test.each(['interrupted', 'error', 'other', 'unknown'])('a model says it stopped so: %s', async (unified) => {
    const usage = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 2, text: 2, reasoning: 0 } }
    const inner = new MockLanguageModelV3({ doGenerate: async () => ({ content: [{ type: 'text', text: 'Pa' }], finishReason: { unified: unified as 'other', raw: undefined }, usage, warnings: [] }) })
    const llm = ground.llm()
    const model = wrapLanguageModel({ model: inner, middleware: llm.middleware() })
    for (let time = 0; time < 2; time++) await model.doGenerate({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] })
    expect(llm.stats()).toMatchObject({ hits: 0, misses: 2, refused: { finish: 2 } })
  })

  test.each([
    ['an error in the middle', { errorAfter: 3 }],
    ['a connection that breaks off', { breakAfter: 4 }],
    ['a stream that just ends', { breakAfter: 8 }],
  ])('ended with %s', async (_, plan) => {
    ground.upstream.next(plan)
    await drain(ground.model())
    await drain(ground.model())
    expect(ground.upstream.count()).toBe(2)
    await drain(ground.model())
    expect(ground.upstream.count()).toBe(2)
  })

  test.each([
    ['says that it failed', { type: 'error' as const, error: new Error('overloaded') }, 'overloaded'],
    ['just ends', { type: 'text-end' as const, id: '1' }, 'not a complete answer'],
  ])('comes in a stream that %s: nobody who waits for the whole of it is given a part', async (_, last, reason) => {
    let tell: (part: typeof last) => void = () => {}
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue({ type: 'text-start' as const, id: '1' })
        controller.enqueue({ type: 'text-delta' as const, id: '1', delta: 'Pa' })
        tell = (part) => {
          controller.enqueue(part)
          controller.close()
        }
      },
    })
    const inner = new MockLanguageModelV3({ doStream: async () => ({ stream }) })
    const llm = ground.llm()
    const model = wrapLanguageModel({ model: inner, middleware: llm.middleware() })
    const params = { prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }] }
    const first = await model.doStream(params)
    const second = model.doGenerate(params)
    tell(last)
    await expect(second).rejects.toThrow(reason)
    for await (const { type } of first.stream) expect(type).toMatch(/^text|^error/)
    expect(llm.stats()).toMatchObject({ hits: 0, misses: 1, joins: 1 })
    expect(Object.values(llm.stats().refused)).toEqual([1])
  })

  test('had an error in it, though the model went on', async () => {
    const usage = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 2, text: 2, reasoning: 0 } }
    const inner = new MockLanguageModelV3({
      doStream: async () => ({
        stream: simulateReadableStream({
          chunks: [
            { type: 'text-start', id: '1' },
            { type: 'text-delta', id: '1', delta: 'Pa' },
            { type: 'error', error: 'overloaded' },
            { type: 'text-end', id: '1' },
            { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
          ],
        }),
      }),
    })
    const model = wrapLanguageModel({ model: inner, middleware: ground.llm().middleware() })
    for (let time = 0; time < 2; time++) {
      const { stream } = await model.doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] })
      const types = []
      for await (const { type } of stream) types.push(type)
      expect(types.slice(2)).toEqual(['error', 'text-end', 'finish'])
    }
    expect(inner.doStreamCalls).toHaveLength(2)
  })

  test('a provider answered with an error', async () => {
    ground.upstream.next({ status: 500 })
    await expect(generateText({ ...hello, model: ground.model() })).rejects.toMatchObject({ statusCode: 500 })
    expect((await generateText({ ...hello, model: ground.model() })).text).toBe('Paris is the capital of France.')
  })
})

describe('tools that the provider runs', () => {
  const searching = { ...hello, tools: { web_search: ofOpenAI.tools.webSearch() } as ToolSet }

  test('go past the cache, also when several ask at once', async () => {
    ground.upstream.answer('provider-tool')
    const llm = ground.llm()
    const model = ground.model('gpt-5', { api: 'responses', llm })
    await Promise.all([generateText({ ...searching, model }), generateText({ ...searching, model })])
    expect(ground.upstream.count()).toBe(2)
    expect(llm.stats().refused).toEqual({ request: 2 })
  })

  test('are not stored when they ran without being asked for', async () => {
    ground.upstream.answer('provider-tool')
    const model = ground.model('gpt-5', { api: 'responses' })
    await generateText({ ...hello, model })
    await generateText({ ...hello, model })
    expect(ground.upstream.count()).toBe(2)
  })

  test.each([
    ['are not stored when they were a search of which only the addresses are told', { sourceType: 'url' as const, url: 'https://a.test' }, 2],
    ['are none when a document is cited that the model was given', { sourceType: 'document' as const, mediaType: 'text/plain', title: 'a' }, 1],
  ])('%s', async (_, source, asked) => {
    const usage = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 2, text: 2, reasoning: 0 } }
    const inner = new MockLanguageModelV3({ doGenerate: async () => ({ content: [{ type: 'text', text: 'Rain.' }, { type: 'source', id: '1', ...source }], finishReason: { unified: 'stop', raw: 'stop' }, usage, warnings: [] }) })
    const model = wrapLanguageModel({ model: inner, middleware: ground.llm().middleware() })
    for (let time = 0; time < 2; time++) await model.doGenerate({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] })
    expect(inner.doGenerateCalls.length).toBe(asked)
  })

  test('are stored for those who want it', async () => {
    ground.upstream.answer('provider-tool')
    const model = ground.model('gpt-5', { api: 'responses', providerTools: 'cache' })
    const first = await generateText({ ...searching, model })
    const second = await generateText({ ...searching, model })
    expect(second.sources).toEqual(first.sources)
    expect(second.toolResults).toEqual(first.toolResults)
    expect(ground.upstream.count()).toBe(1)
  })
})

test('who asks for the raw chunks of the provider is given them, past the cache', async () => {
  for (let time = 1; time <= 2; time++) {
    const types = new Set()
    for await (const { type } of streamText({ ...hello, model: ground.model(), includeRawChunks: true }).fullStream) types.add(type)
    expect(types).toContain('raw')
    expect(ground.upstream.count()).toBe(time)
  }
})

describe('one call can', () => {
  test('not be stored', async () => {
    await generateText({ ...ofThisCache({ noStore: true }), model: ground.model() })
    await generateText({ ...hello, model: ground.model() })
    expect(ground.upstream.count()).toBe(2)
  })

  test('be asked anew, and that is stored', async () => {
    await generateText({ ...hello, model: ground.model() })
    ground.upstream.answer('multi-byte')
    await generateText({ ...ofThisCache({ refresh: true }), model: ground.model() })
    expect((await generateText({ ...hello, model: ground.model() })).text).toContain('東京')
    expect(ground.upstream.count()).toBe(2)
  })

  test('belong to another scope, which shares nothing', async () => {
    for (const scope of ['u1', 'u2', 'u1', 'u2']) await generateText({ ...ofThisCache({ scope }), model: ground.model() })
    expect(ground.upstream.count()).toBe(2)
  })

  test('be forgotten by its tag', async () => {
    const llm = ground.llm()
    const model = ground.model('gpt-4o-mini', { llm })
    await generateText({ ...ofThisCache({ tags: ['doc:42'] }), model })
    await llm.invalidate({ tags: ['doc:42'] })
    await generateText({ ...hello, model })
    expect(ground.upstream.count()).toBe(2)
  })

  test('not have options that there are not, and the model is not asked', async () => {
    const ask = generateText({ ...ofThisCache({ tll: '1m' }), model: ground.model() })
    await expect(ask).rejects.toThrow(InvalidOptionError)
    expect(ground.upstream.count()).toBe(0)
  })

  test('say so without the provider being told', async () => {
    const inner = new MockLanguageModelV3({ doGenerate: () => Promise.reject(new Error('asked')) })
    const model = wrapLanguageModel({ model: inner, middleware: ground.llm().middleware() })
    await expect(generateText({ ...hello, model, providerOptions: { tiercel: { ttl: '1m' }, other: { a: 1 } } })).rejects.toThrow('asked')
    expect(inner.doGenerateCalls.map(({ providerOptions }) => providerOptions)).toEqual([{ other: { a: 1 } }])
  })
})

test('a middleware has no other option', () => {
  expect(() => ground.llm().middleware({ providerTool: 'cache' } as object)).toThrow(InvalidOptionError)
  expect(() => ground.llm().middleware({ providerTools: 'all' as 'cache' })).toThrow("providerTools is 'bypass' or 'cache'")
})
