import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startUpstream, vectorOf, type Upstream } from './index.js'

let upstream: Upstream
let client: OpenAI

beforeAll(async () => {
  upstream = await startUpstream()
  client = new OpenAI({ baseURL: upstream.v1, apiKey: 'sk-test', maxRetries: 0 })
})
beforeEach(() => upstream.reset())
afterAll(() => upstream[Symbol.asyncDispose]())

const question = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'The capital of France?' }] }

describe('the client of OpenAI reads', () => {
  test('the same text from a plain answer and from a stream', async () => {
    upstream.answer('multi-byte')
    const plain = await client.chat.completions.create(question)
    let streamed = ''
    for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) streamed += chunk.choices[0]?.delta.content ?? ''
    expect(streamed).toBe(plain.choices[0]?.message.content)
    expect(streamed).toContain('東京: naïve 👩‍🚀')
    expect(upstream.count('chat')).toBe(2)
  })

  test('a stream that is split at every byte', async () => {
    upstream.next({ answer: 'multi-byte', splitAt: 'bytes' })
    const answer = await client.chat.completions.stream({ ...question }).finalChatCompletion()
    expect(answer.choices[0]?.message.content).toContain('👩‍🚀 🇯🇵')
  })

  test('parallel tool calls, put together from a stream', async () => {
    upstream.answer('parallel-tools')
    const plain = await client.chat.completions.create(question)
    const streamed = await client.chat.completions.stream(question).finalChatCompletion()
    expect(streamed.choices[0]?.message.tool_calls).toMatchObject(plain.choices[0]?.message.tool_calls ?? [])
    expect(plain.choices[0]?.message.tool_calls).toHaveLength(2)
  })

  test('the usage of a stream only when it asks for it', async () => {
    const usages = async (options: object) => {
      const seen = []
      for await (const { usage } of await client.chat.completions.create({ ...question, stream: true, ...options })) if (usage) seen.push(usage.total_tokens)
      return seen
    }
    expect(await usages({})).toEqual([])
    expect(await usages({ stream_options: { include_usage: true } })).toEqual([21])
  })

  test.each(['text', 'multi-byte', 'reasoning', 'parallel-tools', 'refusal', 'length', 'content-filter', 'provider-tool', 'empty'])('the response "%s" from a stream as it is when plain', async (name) => {
    upstream.answer(name)
    const ask = { model: 'gpt-5-mini', input: 'The capital of France?' }
    const plain = await client.responses.create(ask)
    const streamed = await client.responses.stream(ask).finalResponse()
    expect(streamed.output_text).toBe(plain.output_text)
    expect(streamed.output).toMatchObject(plain.output)
    expect(streamed.status).toBe(plain.status)
  })

  test('vectors, in base64 and in numbers', async () => {
    const { data } = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two'] })
    expect(data.map(({ embedding }) => embedding)).toEqual([[...vectorOf('one')], [...vectorOf('two')]])
    const numbers = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'one', encoding_format: 'float', dimensions: 3 })
    expect(numbers.data[0]?.embedding).toEqual([...vectorOf('one', 3)])
    expect(upstream.embedded).toEqual(['one', 'two', 'one'])
  })
})

describe('what fails reaches it', () => {
  test('as an error of that status', async () => {
    upstream.next({ status: 429 })
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ status: 429 })
  })

  test('as an error in a stream of chat', async () => {
    upstream.next({ errorAfter: 3 })
    let seen = 0
    const read = async () => {
      for await (const _ of await client.chat.completions.create({ ...question, stream: true })) seen++
    }
    await expect(read()).rejects.toThrow(APIError)
    expect(seen).toBe(3)
  })

  test('as an event in a stream of responses', async () => {
    upstream.next({ errorAfter: 5 })
    const events = []
    for await (const { type } of await client.responses.create({ model: 'gpt-5-mini', input: 'Hello', stream: true })) events.push(type)
    expect(events).toHaveLength(6)
    expect(events.at(-1)).toBe('error')
  })

  test('as a connection that breaks off in the middle of an event', async () => {
    upstream.next({ breakAfter: 3 })
    let seen = 0
    const read = async () => {
      for await (const _ of await client.chat.completions.create({ ...question, stream: true })) seen++
    }
    await expect(read()).rejects.toThrow('terminated')
    expect(seen).toBe(3)
    expect(await upstream.calls[0]?.ended).toBe('broken off')
  })
})

describe('a turn that holds', () => {
  test('sends what was before, and the rest when it is released', async () => {
    const turn = upstream.next({ holdAfter: 3 })
    const chunks = (await client.chat.completions.create({ ...question, stream: true }))[Symbol.asyncIterator]()
    for (let read = 0; read < 3; read++) await chunks.next()
    await turn.held
    const next = chunks.next()
    turn.release()
    expect(await next).toMatchObject({ done: false })
  })

  test('sees that the client goes away', async () => {
    const turn = upstream.next({ holdAfter: 2 })
    const stream = await client.chat.completions.create({ ...question, stream: true })
    const call = await turn.held
    stream.controller.abort()
    expect(await call.ended).toBe('client gone')
  })
})
