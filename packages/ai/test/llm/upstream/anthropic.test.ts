import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startUpstream, type Upstream } from './index.js'

let upstream: Upstream
let client: Anthropic

beforeAll(async () => {
  upstream = await startUpstream()
  client = new Anthropic({ baseURL: upstream.url, apiKey: 'sk-ant-test', maxRetries: 0 })
})
beforeEach(() => upstream.reset())
afterAll(() => upstream[Symbol.asyncDispose]())

const question = { model: 'claude-sonnet-4-5', max_tokens: 100, messages: [{ role: 'user' as const, content: 'The capital of France?' }] }

describe('the client of Anthropic reads', () => {
  test.each(['text', 'multi-byte', 'reasoning', 'parallel-tools', 'refusal', 'length', 'provider-tool', 'empty'])('the message "%s" from a stream as it is when plain', async (name) => {
    upstream.answer(name)
    const plain = await client.messages.create(question)
    const streamed = await client.messages.stream(question).finalMessage()
    expect(streamed.content).toMatchObject(plain.content)
    expect(streamed.stop_reason).toBe(plain.stop_reason)
    expect(streamed.usage.output_tokens).toBe(plain.usage.output_tokens)
    expect(upstream.count('messages')).toBe(2)
  })

  test('an error in a stream', async () => {
    upstream.next({ errorAfter: 3 })
    await expect(client.messages.stream(question).finalMessage()).rejects.toThrow('overloaded')
  })

  test('an error of a status', async () => {
    upstream.next({ status: 529 })
    await expect(client.messages.create(question)).rejects.toMatchObject({ status: 529 })
  })

  test('a stream without an end as one that failed', async () => {
    upstream.next({ terminator: false })
    await expect(client.messages.stream(question).finalMessage()).rejects.toThrow('stream ended')
  })
})
