import { AIMessage, AIMessageChunk, ChatMessage, HumanMessage, type BaseMessage } from '@langchain/core/messages'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { describe, expect, test } from 'vitest'
import { useGround } from './ground.js'
import type { BaseCache } from '@langchain/core/caches'

const ground = useGround()
const KEY = '_model:"base_chat_model",model_name:"gpt-4o"'

interface Generation {
  text: string
  message?: BaseMessage
  generationInfo?: Record<string, unknown>
}

const saying = (text: string, more: object = {}): Generation => ({ text, message: new AIMessage({ content: text, ...more }) })

describe('a model with the cache of LangChain', () => {
  test('is asked once', async () => {
    const cached = () => ground.model('gpt-4o-mini', { cache: ground.llm.langchain<BaseCache>() })
    const first = await cached().invoke('Hello')
    const second = await cached().invoke('Hello')
    expect(second.content).toBe(first.content)
    expect(second.usage_metadata).toMatchObject({ total_tokens: 0 })
    expect(ground.upstream.count()).toBe(1)
    await ground.model('gpt-4o', { cache: ground.llm.langchain<BaseCache>() }).invoke('Hello')
    expect(ground.upstream.count()).toBe(2)
  })

  test('is asked for each image', async () => {
    const model = ground.model('gpt-4o-mini', { cache: ground.llm.langchain<BaseCache>() })
    for (const url of ['data:,a', 'data:,b']) await model.invoke([new HumanMessage({ content: [{ type: 'image_url', image_url: { url } }] })])
    expect(ground.upstream.count()).toBe(2)
    expect(ground.llm.stats().refused).toMatchObject({ request: 2 })
  })

  test('may say so where it is made', async () => {
    const model = new FakeListChatModel({ responses: ['one', 'two', 'three'], cache: ground.llm.langchain() })
    const ask = async (model_name?: string) => (await model.invoke('Hello', { model_name } as object)).content
    expect([await ask('fake'), await ask('fake')]).toEqual(['one', 'one'])
    // LangChain's own key has no name of a model in it that does not give one: any other would be given the same answer.
    expect([await ask(), await ask()]).toEqual(['two', 'three'])
  })

  test('answers when the cache is closed', async () => {
    const model = ground.model('gpt-4o-mini', { cache: ground.llm.langchain<BaseCache>() })
    await ground.cache.close()
    expect((await model.invoke('Hello')).content).toBe('Paris is the capital of France.')
  })
})

describe('what is kept', () => {
  const given = async (value: Generation[], prompt = 'Human: Hello') => {
    const cache = ground.llm.langchain()
    await cache.update(prompt, KEY, value)
    return (await cache.lookup(prompt, KEY)) as Generation[] | null
  }

  test('keeps the kind of its messages, and what was said about them', async () => {
    const found = await given([{ text: 'Hi', message: new ChatMessage({ role: 'guide', content: 'Hi', response_metadata: { finish_reason: 'stop' } }), generationInfo: { logprobs: [1, 2] } }])
    expect(found?.[0]?.message).toBeInstanceOf(ChatMessage)
    expect(found?.[0]).toMatchObject({ text: 'Hi', message: { role: 'guide' }, generationInfo: { logprobs: [1, 2] } })
    expect((await given([{ text: 'Hi', message: new AIMessageChunk('Hi') }], 'Human: chunk'))?.[0]?.message).toBeInstanceOf(AIMessageChunk)
    expect((await given([{ text: 'Hi' }], 'Human: text'))?.[0]).toEqual({ text: 'Hi' })
  })

  test('is made anew for each who looks it up', async () => {
    const first = await given([saying('Hi')])
    const message = first?.[0]?.message
    if (message !== undefined) message.content = 'spoilt'
    expect((await ground.llm.langchain().lookup('Human: Hello', KEY))?.[0]).toMatchObject({ message: { content: 'Hi' } })
  })

  test.each<[string, Generation]>([
    ['truncated', saying('Hi', { response_metadata: { finish_reason: 'length' } })],
    ['filtered', { ...saying('Hi'), generationInfo: { finish_reason: 'content_filter' } }],
    ['refused', saying('No', { additional_kwargs: { stop_reason: 'refusal' } })],
    ['empty', saying('')],
    ['no data', saying('Hi', { additional_kwargs: { made: new Map() } })],
  ])('is nothing that is %s', async (_, generation) => {
    expect(await given([generation])).toBeNull()
  })

  test('is not found by another scope, nor without one', async () => {
    await ground.other({ scope: 'one' }).langchain().update('Human: Hello', KEY, [saying('Hi')])
    expect(await ground.other({ scope: 'two' }).langchain().lookup('Human: Hello', KEY)).toBeNull()
    expect(await ground.other({ scope: () => undefined }).langchain().lookup('Human: Hello', KEY)).toBeNull()
    expect(await ground.other({ scope: 'one' }).langchain().lookup('Human: Hello', KEY)).not.toBeNull()
  })

  test('is not what somebody else has written', async () => {
    let key: string | undefined
    ground.llm.on('store', (event) => (key = event.key))
    await given([saying('Hi')])
    await ground.cache.namespace('llm').set(key ?? '', { version: 1, wire: 'langchain-1', form: 'whole', items: [{ generations: [{ text: 1 }] }], head: null, finish: [], usage: null, model: null, createdAt: Date.now() })
    expect(await ground.llm.langchain().lookup('Human: Hello', KEY)).toBeNull()
  })
})
