import { generateText, streamText, wrapLanguageModel, type LanguageModelMiddleware } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { createCache } from '@tiercel/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../../core/test/redis/server/index.js'
import { useGround } from './ground.js'

const ground = useGround()
const hello = { prompt: 'Hello', maxRetries: 0 }
const PARIS = 'Paris is the capital of France.'

/** What an answer says, without the names that a stream and a plain answer have for the same things. */
const said = ({ content, finishReason, totalUsage }: { content: readonly object[]; finishReason: string; totalUsage: object }) => ({
  content: content.map((part) => ({ ...part, id: undefined, toolCallId: undefined, providerMetadata: undefined })),
  finishReason,
  totalUsage,
})

async function streamed(model: ReturnType<typeof ground.model>) {
  const result = streamText({ ...hello, model })
  return said({ content: await result.content, finishReason: await result.finishReason, totalUsage: await result.totalUsage })
}

async function generated(model: ReturnType<typeof ground.model>) {
  return said(await generateText({ ...hello, model }))
}

describe.each(['chat', 'responses'] as const)('what %s answered', (api) => {
  test.each(['text', 'multi-byte', 'parallel-tools', 'reasoning'])('is served again plain and as a stream, whichever it was: %s', async (name) => {
    ground.upstream.answer(name)
    const byModel = () => ground.model('gpt-5', { api, llm: ground.llm({ usage: 'original', namespace: 'by-model', ttl: 0 }) })
    const expected = [await generated(byModel()), await streamed(byModel())]
    expect(ground.upstream.count()).toBe(2)

    const fromPlain = ground.model('gpt-5', { api, llm: ground.llm({ usage: 'original', namespace: 'from-plain' }) })
    expect([await generated(fromPlain), await generated(fromPlain), await streamed(fromPlain)]).toEqual([expected[0], expected[0], expected[1]])
    expect(ground.upstream.count()).toBe(3)

    const fromStream = ground.model('gpt-5', { api, llm: ground.llm({ usage: 'original', namespace: 'from-stream' }) })
    expect([await streamed(fromStream), await streamed(fromStream), await generated(fromStream)]).toEqual([expected[1], expected[1], expected[0]])
    expect(ground.upstream.count()).toBe(4)
  })
})

describe('a stream', () => {
  test('is served again part by part', async () => {
    const parts = async () => {
      const seen = []
      for await (const text of streamText({ ...hello, model: ground.model() }).textStream) seen.push(text)
      return seen
    }
    const first = await parts()
    expect(first).toEqual(['Paris', ' is', ' the', ' capital', ' of', ' France', '.'])
    expect(await parts()).toEqual(first)
    expect(ground.upstream.count()).toBe(1)
  })

  test('keeps the signature of what the model thought', async () => {
    ground.upstream.answer('reasoning')
    const model = ground.model('gpt-5', { api: 'responses' })
    const reasoning = async () => (await streamText({ ...hello, model }).reasoning).map(({ providerMetadata }) => providerMetadata)
    const first = await reasoning()
    expect(first).toEqual([{ openai: { itemId: 'rs_68e6c0ffee3', reasoningEncryptedContent: 'gAAAAABo5sD-whole' } }])
    expect(await reasoning()).toEqual(first)
    expect((await generateText({ ...hello, model })).reasoning.map(({ providerMetadata }) => providerMetadata)).toEqual(first)
    expect(ground.upstream.count()).toBe(1)
  })
})

describe('a hit', () => {
  test('uses no tokens, and says what it saved', async () => {
    const llm = ground.llm({ prices: { 'gpt-4o-mini': { input: 10, output: 100 } } })
    const model = ground.model('gpt-4o-mini', { llm })
    const first = await generateText({ ...hello, model })
    expect(first.usage.totalTokens).toBe(21)
    expect(first.providerMetadata).not.toHaveProperty('tiercel')

    const hit = await generateText({ ...hello, model })
    expect(hit.usage).toMatchObject({ inputTokens: 0, outputTokens: 0, totalTokens: 0 })
    expect(hit.providerMetadata?.tiercel).toEqual({ savedUsage: { inputTokens: 14, outputTokens: 7, cachedInputTokens: 0 } })

    const stream = streamText({ ...hello, model })
    expect((await stream.totalUsage).totalTokens).toBe(0)
    expect((await stream.providerMetadata)?.tiercel).toEqual(hit.providerMetadata?.tiercel)
    expect(llm.stats()).toMatchObject({ hits: 2, misses: 1, saved: { inputTokens: 28, outputTokens: 14 } })
    expect(llm.stats().saved.cost).toBeCloseTo((28 * 10 + 14 * 100) / 1e6)
  })

  test('uses none either when it was a stream before', async () => {
    const used = async () => {
      const { totalUsage, providerMetadata } = streamText({ ...hello, model: ground.model() })
      return [(await totalUsage).totalTokens, (await providerMetadata)?.tiercel]
    }
    expect([await used(), await used()]).toEqual([[21, undefined], [0, { savedUsage: { inputTokens: 14, outputTokens: 7, cachedInputTokens: 0 } }]])
  })

  test('gives the time of the answer as a date', async () => {
    const model = ground.model()
    const { response } = await generateText({ ...hello, model })
    const hit = await generateText({ ...hello, model })
    expect(hit.response.timestamp).toBeInstanceOf(Date)
    expect(hit.response.timestamp).toEqual(response.timestamp)
    expect(hit.response.id).toBe(response.id)
  })

  test('is the reader’s own, to do with as he likes', async () => {
    const asked = { prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }] }
    const model = ground.model()
    const spoil = async () => {
      const result = await model.doGenerate(asked)
      const text = result.content[0]
      result.content.length = 0
      result.usage.inputTokens.total = 99
      return { text, usage: result.providerMetadata?.tiercel }
    }
    await spoil()
    expect(await spoil()).toMatchObject({ text: { type: 'text', text: PARIS } })
    expect(await spoil()).toMatchObject({ text: { type: 'text', text: PARIS }, usage: { savedUsage: { inputTokens: 14 } } })
  })

  test('keeps no body and no header of the call that was made', async () => {
    const asked = { prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }] }
    const model = ground.model()
    expect((await model.doGenerate(asked)).request?.body).toBeDefined()
    const hit = await model.doGenerate(asked)
    expect(hit.request).toBeUndefined()
    expect(hit.response).not.toHaveProperty('headers')
    expect(hit.response).not.toHaveProperty('body')
  })
})

test('a model that is put behind the cache twice waits for nobody', async () => {
  const llm = ground.llm()
  const model = wrapLanguageModel({ model: ground.model('gpt-4o-mini', { llm }), middleware: [llm.middleware(), llm.middleware()] })
  expect([await streamText({ ...hello, model }).text, (await generateText({ ...hello, model })).text]).toEqual([PARIS, PARIS])
  expect(ground.upstream.count()).toBe(1)
})

describe('a file that a model made', () => {
  const data = Uint8Array.from([0, 255, 128, 7])
  const painter = () =>
    new MockLanguageModelV3({
      doGenerate: {
        content: [{ type: 'file', mediaType: 'image/png', data }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 2, text: 2, reasoning: 0 } },
        warnings: [],
      },
    })

  test('is served again, byte for byte', async () => {
    const inner = painter()
    const middleware: LanguageModelMiddleware = ground.llm().middleware()
    const model = wrapLanguageModel({ model: inner, middleware })
    for (let time = 0; time < 2; time++) {
      const { files } = await generateText({ ...hello, model })
      expect(files.map((file) => [...file.uint8Array])).toEqual([[...data]])
    }
    const stream = await streamText({ ...hello, model }).files
    expect(stream.map((file) => [...file.uint8Array])).toEqual([[...data]])
    expect(inner.doGenerateCalls).toHaveLength(1)
  })
})

describe('calls that ask the same at once', () => {
  /** A model that says how many calls have come to the cache, and so wait for whatever is under way. */
  function counted() {
    let calls = 0
    const scope = () => {
      calls++
      return 'tenant'
    }
    return { model: ground.model('gpt-4o-mini', { llm: ground.llm({ scope }) }), haveCome: (count: number) => expect.poll(() => calls).toBe(count) }
  }

  test('are one call, plain and streamed together', async () => {
    const turn = ground.upstream.next({ holdAfter: 3 })
    const { model, haveCome } = counted()
    const first = streamText({ ...hello, model }).text
    await turn.held
    const others = [generateText({ ...hello, model }).then(({ text }) => text), streamText({ ...hello, model }).text]
    await haveCome(3)
    turn.release()
    expect(await Promise.all([first, ...others])).toEqual([PARIS, PARIS, PARIS])
    expect(ground.upstream.count()).toBe(1)
  })

  test('give a late one everything from the start, before the end has come, also when the first one leaves', async () => {
    const turn = ground.upstream.next({ holdAfter: 4 })
    const model = ground.model()
    const leaving = new AbortController()
    const first = streamText({ ...hello, model, abortSignal: leaving.signal }).consumeStream()
    const call = await turn.held
    const late = streamText({ ...hello, model }).textStream.getReader()
    const read = async () => (await late.read()).value
    expect([await read(), await read(), await read()]).toEqual(['Paris', ' is', ' the'])
    leaving.abort()
    await first
    turn.release()
    expect([await read(), await read(), await read(), await read(), await read()]).toEqual([' capital', ' of', ' France', '.', undefined])
    expect(await call.ended).toBe('sent')
    expect((await generateText({ ...hello, model })).text).toBe(PARIS)
    expect(ground.upstream.count()).toBe(1)
  })

  test('are broken off when all have left', async () => {
    const turn = ground.upstream.next({ holdAfter: 3 })
    const { model, haveCome } = counted()
    const leaving = new AbortController()
    const readers = [1, 2].map(() => streamText({ ...hello, model, abortSignal: leaving.signal }).consumeStream())
    const call = await turn.held
    await haveCome(2)
    leaving.abort()
    await Promise.all(readers)
    expect(await call.ended).toBe('client gone')
    expect(await streamText({ ...hello, model }).text).toBe(PARIS)
    expect(ground.upstream.count()).toBe(2)
  })

  test('are two calls in two scopes', async () => {
    const turns = [ground.upstream.next({ holdAfter: 0 }), ground.upstream.next({ holdAfter: 0 })]
    const asks = ['u1', 'u2'].map((scope) => generateText({ ...hello, model: ground.model(), providerOptions: { tiercel: { scope } } }))
    for (const turn of turns) await turn.held
    for (const turn of turns) turn.release()
    await Promise.all(asks)
    expect(ground.upstream.count()).toBe(2)
  })

  test('all fail with the error of the one that was made', async () => {
    const turn = ground.upstream.next({ status: 503, holdAfter: 0 })
    const { model, haveCome } = counted()
    const asks = Promise.allSettled([generateText({ ...hello, model }), generateText({ ...hello, model })])
    await turn.held
    await haveCome(2)
    turn.release()
    const failed = { status: 'rejected', reason: { statusCode: 503 } }
    expect(await asks).toMatchObject([failed, failed])
    expect(ground.upstream.count()).toBe(1)
  })
})

describeWithRedis('an answer in Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  test('serves another process, with its dates and files', async () => {
    const data = Uint8Array.from([0, 255, 128, 7])
    const timestamp = new Date('2026-01-02T03:04:05.678Z')
    const painter = new MockLanguageModelV3({
      doGenerate: {
        content: [{ type: 'text', text: '東京 👩‍🚀' }, { type: 'file', mediaType: 'image/png', data }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 2, text: 2, reasoning: 0 } },
        response: { timestamp },
        warnings: [],
      },
    })
    for (let process = 0; process < 2; process++) {
      await using cache = createCache({ redis: redis.url, deadline: '30s' })
      const model = wrapLanguageModel({ model: painter, middleware: ground.llm({ cache }).middleware() })
      const { text, files, response } = await generateText({ ...hello, model })
      expect({ text, files: files.map((file) => [...file.uint8Array]), timestamp: response.timestamp }).toEqual({ text: '東京 👩‍🚀', files: [[...data]], timestamp })
      // It is stored once memory has it.
      await expect.poll(() => cache.stats().memory.entries).toBe(1)
    }
    expect(painter.doGenerateCalls).toHaveLength(1)
  })
})
