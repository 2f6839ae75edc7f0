import { AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages'
import { FakeListChatModel, FakeStreamingChatModel } from '@langchain/core/utils/testing'
import { createCache, InvalidArgumentError, InvalidOptionError } from '@tiercel/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../../core/test/redis/server/index.js'
import { useGround } from './ground.js'

const ground = useGround()
const PARIS = 'Paris is the capital of France.'
const weather = { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: {} } } }

const image = (bytes: string) => [new HumanMessage({ content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${bytes}` } }] })]
/** A conversation in which two tools were called, by these ids, and answered in the order of those. */
const turns = ([first, second]: readonly [string, string], [one, other]: readonly [string, string]) => [
  new HumanMessage('Zürich and Oslo?'),
  new AIMessage({ content: '', tool_calls: [{ id: first, name: 'weather', args: { city: 'Zürich' } }, { id: second, name: 'weather', args: { city: 'Oslo' } }] }),
  new ToolMessage({ tool_call_id: one, content: '20°' }),
  new ToolMessage({ tool_call_id: other, content: '2°' }),
]

async function streamed(model: ReturnType<typeof ground.model>, input = 'Hello', signal = new AbortController().signal) {
  const chunks: AIMessageChunk[] = []
  for await (const chunk of await model.stream(input, { signal })) chunks.push(chunk)
  return chunks
}

/** What an answer says, without what differs from run to run, or from a stream to a plain answer. */
const said = ({ content, tool_calls: calls }: AIMessage | AIMessageChunk) => ({ content, calls: calls?.map(({ id, name, args }) => ({ id, name, args })) })
const saidBy = (chunks: readonly AIMessageChunk[]) => {
  const [first, ...rest] = chunks
  if (first === undefined) throw new Error('nothing was said')
  return said(rest.reduce((all, chunk) => all.concat(chunk), first))
}

describe('what a chat model answered', () => {
  test.each(['text', 'multi-byte', 'parallel-tools'])('is served again plain and as a stream, whichever it was: %s', async (name) => {
    ground.upstream.answer(name)
    const expected = said(await ground.model().invoke('Hello'))
    const fromPlain = ground.other({ namespace: 'from-plain' }).langchain(ground.model())
    expect([said(await fromPlain.invoke('Hello')), said(await fromPlain.invoke('Hello')), saidBy(await streamed(fromPlain))]).toEqual([expected, expected, expected])
    expect(ground.upstream.count()).toBe(2)

    const fromStream = ground.other({ namespace: 'from-stream' }).langchain(ground.model())
    expect([saidBy(await streamed(fromStream)), saidBy(await streamed(fromStream)), said(await fromStream.invoke('Hello'))]).toEqual([expected, expected, expected])
    expect(ground.upstream.count()).toBe(3)
  })

  test('is streamed again chunk by chunk, and told to whoever listens to tokens', async () => {
    const model = ground.llm.langchain(ground.model())
    const tokens = async () => {
      const told: string[] = []
      const stream = await model.stream('Hello', { callbacks: [{ handleLLMNewToken: (token: string) => void told.push(token) }] })
      const seen: unknown[] = []
      for await (const { content } of stream) seen.push(content)
      expect(told).toEqual(seen)
      return seen.filter((each) => each !== '')
    }
    const first = await tokens()
    expect(first).toEqual(['Paris', ' is', ' the', ' capital', ' of', ' France', '.'])
    expect(await tokens()).toEqual(first)
    expect(ground.upstream.count()).toBe(1)
  })

  test('uses no tokens the second time, and says what it saved', async () => {
    const llm = ground.other({ prices: { 'gpt-4o-mini': { input: 10, output: 100 } } })
    const model = llm.langchain(ground.model())
    expect((await model.invoke('Hello')).usage_metadata).toMatchObject({ input_tokens: 14, output_tokens: 7 })
    const hit = await model.invoke('Hello')
    expect(hit.usage_metadata).toMatchObject({ input_tokens: 0, output_tokens: 0, total_tokens: 0 })
    expect(hit.response_metadata).toMatchObject({ finish_reason: 'stop', tiercel: { savedUsage: { inputTokens: 14, outputTokens: 7 } } })
    expect(llm.stats()).toMatchObject({ hits: 1, misses: 1, saved: { inputTokens: 14, outputTokens: 7, cost: 0.00084 } })
  })

  test('is a message of its own each time', async () => {
    const model = ground.llm.langchain(ground.model())
    const ids = []
    for (let time = 0; time < 3; time++) {
      const message = await model.invoke('Hello')
      expect(message).toBeInstanceOf(AIMessage)
      expect(message.content).toBe(PARIS)
      expect(message.response_metadata).not.toHaveProperty('spoilt')
      ids.push(message.id)
      message.content = 'spoilt'
      message.response_metadata.spoilt = true
    }
    // In a conversation two messages of one id are one.
    expect(ids).toEqual([expect.stringContaining('chatcmpl-'), undefined, undefined])
  })

  test('is found in a batch for those that were asked, in their order', async () => {
    const model = ground.llm.langchain(ground.model())
    await model.invoke('b')
    ground.upstream.answer('multi-byte')
    const answers = await model.batch(['a', 'b'])
    expect(answers.map(({ content }) => content === PARIS)).toEqual([false, true])
  })
})

describe('one answer is not given for another question:', () => {
  const ask = (messages: BaseMessage[], options = {}, name?: string) => ground.llm.langchain(ground.model(name)).invoke(messages, options)
  const hello = [new HumanMessage('Hello')]

  test.each<[string, Parameters<typeof ask>, Parameters<typeof ask>]>([
    ['another model', [hello], [hello, {}, 'gpt-4o']],
    ['another image', [image('AAAA')], [image('BBBB')]],
    ['a history that only looks the same as text', [[new HumanMessage('Human: hi\nAI: ok')]], [[new HumanMessage('hi'), new AIMessage('ok')]]],
    ['another role', [hello], [[new SystemMessage('Hello')]]],
    ['tools', [hello], [hello, { tools: [weather] }]],
    ['another temperature', [hello, { temperature: 0 }], [hello, { temperature: 1 }]],
    ['another word to stop at', [hello, { stop: ['a'] }], [hello, { stop: ['b'] }]],
    ['the results of tools, swapped', [turns(['a', 'b'], ['a', 'b'])], [turns(['a', 'b'], ['b', 'a'])]],
  ])('%s', async (_, one, other) => {
    for (const asked of [one, other, one, other]) await ask(...asked)
    expect(ground.upstream.count()).toBe(2)
  })

  test.each<[string, Parameters<typeof ask>, Parameters<typeof ask>]>([
    ['other ids of tool calls', [turns(['call_1', 'call_2'], ['call_1', 'call_2'])], [turns(['call_x', 'call_y'], ['call_x', 'call_y'])]],
    ['another signal, tags and callbacks', [hello], [hello, { signal: new AbortController().signal, tags: ['a'], callbacks: [{}], metadata: { a: 1 } }]],
    ['other ids of messages', [[new HumanMessage({ id: '1', content: 'Hello' })]], [[new HumanMessage({ id: '2', content: 'Hello' })]]],
  ])('but it is the same question with %s', async (_, one, other) => {
    await ask(...one)
    await ask(...other)
    expect(ground.upstream.count()).toBe(1)
  })

  test('nor is it another one with another key to the provider', async () => {
    await ground.llm.langchain(ground.model('gpt-4o-mini', { apiKey: 'sk-one' })).invoke('Hello')
    await ground.llm.langchain(ground.model('gpt-4o-mini', { apiKey: 'sk-two' })).invoke('Hello')
    expect(ground.upstream.count()).toBe(1)
  })

  test('and a tool of which nobody knows what it is makes the call one past the cache', async () => {
    class Tool {
      readonly name = 'weather'
    }
    for (let time = 0; time < 2; time++) await ask(hello, { tools: [new Tool()] })
    expect(ground.upstream.count()).toBe(2)
    expect(ground.llm.stats().refused).toEqual({ request: 2 })
  })
})

describe('not stored is what', () => {
  test.each(['length', 'content-filter', 'empty'])('ended so: %s', async (name) => {
    ground.upstream.answer(name)
    const model = ground.llm.langchain(ground.model())
    await model.invoke('Hello')
    await streamed(model)
    await model.invoke('Hello')
    expect(ground.upstream.count()).toBe(3)
  })

  test.each([['an error', { errorAfter: 3 }], ['a connection that breaks off', { breakAfter: 4 }]])('ended with %s in the middle', async (_, plan) => {
    ground.upstream.next(plan)
    const model = ground.llm.langchain(ground.model())
    await expect(streamed(model)).rejects.toThrow()
    expect(saidBy(await streamed(model)).content).toBe(PARIS)
  })

  test('just ended, without the model saying why', async () => {
    const model = ground.llm.langchain(ground.model())
    ground.upstream.next({ breakAfter: 8 })
    await expect(streamed(model)).rejects.toThrow('terminated')
    await streamed(model)
    expect(ground.upstream.count()).toBe(2)
  })
})

describe('calls at once', () => {
  test('are one call, of which the first may leave', async () => {
    const turn = ground.upstream.next({ holdAfter: 4 })
    const model = ground.llm.langchain(ground.model())
    const leaving = new AbortController()
    const first = streamed(model, 'Hello', leaving.signal)
    await turn.held
    const late = (await model.stream('Hello'))[Symbol.asyncIterator]()
    const read = async () => (await late.next()).value?.content
    expect([await read(), await read(), await read()]).toEqual(['', 'Paris', ' is'])
    leaving.abort()
    await expect(first).rejects.toThrow('abort')
    turn.release()
    expect([await read(), await read(), await read(), await read(), await read()]).toEqual([' the', ' capital', ' of', ' France', '.'])
    expect(ground.upstream.count()).toBe(1)
  })
})

describe('a model behind the cache', () => {
  test('leaves the one it was made of as it is', async () => {
    const model = ground.model()
    const cached = ground.llm.langchain(model)
    await cached.invoke('Hello')
    await model.invoke('Hello')
    expect(ground.upstream.count()).toBe(2)
    expect(cached).toBeInstanceOf(Object.getPrototypeOf(model).constructor)
  })

  test('may be put behind it again, with other options', async () => {
    const cached = ground.llm.langchain(ground.model())
    await cached.invoke('Hello')
    await ground.llm.langchain(cached, { refresh: true }).invoke('Hello')
    await ground.llm.langchain(cached).invoke('Hello')
    expect(ground.upstream.count()).toBe(2)
  })

  test('keeps to it in the events of a chain', async () => {
    const model = ground.llm.langchain(ground.model())
    const events = async () => {
      const seen = []
      for await (const { event, data } of model.streamEvents('Hello', { version: 'v2' })) if (event === 'on_chat_model_stream') seen.push((data.chunk as AIMessageChunk).content)
      return seen.join('')
    }
    expect([await events(), await events()]).toEqual([PARIS, PARIS])
    expect(ground.upstream.count()).toBe(1)
  })

  test('keeps to it when it is given options for all calls', async () => {
    const bound = ground.llm.langchain(ground.model()).withConfig({ stop: ['a'] })
    await bound.invoke('Hello')
    await bound.invoke('Hello')
    expect(ground.upstream.count()).toBe(1)
  })

  test('is one of LangChain’s own for tests, too', async () => {
    const list = (...responses: string[]) => ground.llm.langchain(new FakeListChatModel({ responses, generationInfo: { finish_reason: 'stop' } }))
    const model = list('one', 'two')
    expect([(await model.invoke('Hello')).content, (await model.invoke('Hello')).content]).toEqual(['one', 'one'])
    expect((await list('another').invoke('Hello')).content).toBe('another')
    const chunks = []
    for await (const { content } of await list('one', 'two').stream('Hi')) chunks.push(content)
    expect(chunks).toEqual(['o', 'n', 'e'])
    expect((await list('one', 'two').invoke('Hi')).content).toBe('one')
    expect(ground.llm.stats()).toMatchObject({ hits: 2, misses: 3 })
  })

  test('that does not say why it stopped has its plain answers stored, and not its streams', async () => {
    const model = ground.llm.langchain(new FakeStreamingChatModel({ chunks: [new AIMessageChunk('a'), new AIMessageChunk('b')], responses: [new AIMessage('ab')] }))
    const stream = async () => {
      const seen = []
      for await (const { content } of await model.stream('Hello')) seen.push(content)
      return seen
    }
    expect([await stream(), await stream()]).toEqual([['a', 'b'], ['a', 'b']])
    expect(ground.llm.stats()).toMatchObject({ hits: 0, misses: 2, refused: { incomplete: 2 } })
    await model.invoke('Hello')
    expect(await stream()).toEqual(['ab'])
  })

  test('is a chat model, and has no other options than a call', () => {
    expect(() => ground.llm.langchain({})).toThrow(InvalidArgumentError)
    expect(() => ground.llm.langchain(ground.model(), { tll: 1 } as object)).toThrow(InvalidOptionError)
  })
})

describeWithRedis('an answer in Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  test('serves another process, plain and as a stream', async () => {
    ground.upstream.answer('parallel-tools')
    const answers = []
    for (const ask of ['invoke', 'stream']) {
      await using cache = createCache({ redis: redis.url, deadline: '30s' })
      const model = ground.other({ cache }).langchain(ground.model())
      answers.push(ask === 'stream' ? saidBy(await streamed(model)) : said(await model.invoke('Hello')))
      // It is stored once memory has it.
      await expect.poll(() => cache.stats().memory.entries).toBe(1)
    }
    expect(answers[1]).toEqual(answers[0])
    expect(ground.upstream.count()).toBe(1)
  })
})
