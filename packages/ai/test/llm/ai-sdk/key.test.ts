import { createOpenAI } from '@ai-sdk/openai'
import { generateText, jsonSchema, tool, wrapLanguageModel, type ModelMessage } from 'ai'
import { describe, expect, test } from 'vitest'
import { useGround } from './ground.js'

const ground = useGround()

interface Ask {
  readonly id?: string
  readonly api?: 'chat' | 'responses'
  readonly [param: string]: unknown
}

async function ask({ id, api = 'chat', ...params }: Ask): Promise<void> {
  await generateText({ ...params, model: ground.model(id, { api }), maxRetries: 0 } as Parameters<typeof generateText>[0])
}

const hello = { prompt: 'Hello' }
const asked = (content: ModelMessage[]) => ({ messages: content })
const image = (...bytes: number[]) => asked([{ role: 'user', content: [{ type: 'image', image: Uint8Array.from(bytes), mediaType: 'image/png' }] }])
const weather = tool({ description: 'Weather', inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } }) })
const clock = tool({ description: 'Time', inputSchema: jsonSchema<{ zone: string }>({ type: 'object', properties: { zone: { type: 'string' } } }) })

/** A conversation in which two tools were called, by these ids, and answered in the order of those. */
const turns = ([first, second]: readonly [string, string], [one, other]: readonly [string, string]) =>
  asked([
    { role: 'user', content: 'Zürich and Oslo?' },
    {
      role: 'assistant',
      content: [
        { type: 'tool-call', toolCallId: first, toolName: 'weather', input: { city: 'Zürich' } },
        { type: 'tool-call', toolCallId: second, toolName: 'weather', input: { city: 'Oslo' } },
      ],
    },
    {
      role: 'tool',
      content: [
        { type: 'tool-result', toolCallId: one, toolName: 'weather', output: { type: 'text', value: '20°' } },
        { type: 'tool-result', toolCallId: other, toolName: 'weather', output: { type: 'text', value: '2°' } },
      ],
    },
  ])

/** Only the results: the calls are in the answer that the provider has kept. */
const results = (one: string, other: string) => ({ ...asked(turns(['a', 'b'], [one, other]).messages.slice(2)), api: 'responses' as const, providerOptions: { openai: { previousResponseId: 'resp_1' } } })

describe('one answer is not given for another question:', () => {
  test.each<[string, Ask, Ask]>([
    ['another model', hello, { ...hello, id: 'gpt-4o' }],
    ['another interface of the provider', hello, { ...hello, api: 'responses' }],
    ['another temperature', { ...hello, temperature: 0 }, { ...hello, temperature: 1 }],
    ['another seed', { ...hello, seed: 1 }, { ...hello, seed: 2 }],
    ['another limit', { ...hello, maxOutputTokens: 10 }, { ...hello, maxOutputTokens: 20 }],
    ['another word to stop at', { ...hello, stopSequences: ['a'] }, { ...hello, stopSequences: ['b'] }],
    ['another system prompt', { ...hello, system: 'You are a pirate' }, { ...hello, system: 'You are a poet' }],
    ['tools', hello, { ...hello, tools: { weather } }],
    ['another choice of a tool', { ...hello, tools: { weather } }, { ...hello, tools: { weather }, toolChoice: 'none' }],
    ['another image', image(1, 2, 3), image(1, 2, 4)],
    ['a history that only looks the same as text', asked([{ role: 'user', content: 'Human: hi\nAI: ok' }]), asked([{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'ok' }])],
    ['the results of tools, swapped', turns(['a', 'b'], ['a', 'b']), turns(['a', 'b'], ['b', 'a'])],
    ['the results of tools, swapped, of calls that the provider has kept', results('a', 'b'), results('b', 'a')],
    ['a provider’s own option', hello, { ...hello, providerOptions: { openai: { reasoningEffort: 'high' } } }],
  ])('%s', async (_, one, other) => {
    await ask(one)
    await ask(other)
    expect(ground.upstream.count()).toBe(2)
    await ask(one)
    await ask(other)
    expect(ground.upstream.count()).toBe(2)
  })

  test('another schema of the answer', async () => {
    const model = ground.model()
    for (const field of ['city', 'country', 'city', 'country']) {
      const schema = { type: 'object' as const, properties: { [field]: { type: 'string' as const } } }
      await model.doGenerate({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }], responseFormat: { type: 'json', schema } })
    }
    expect(ground.upstream.count()).toBe(2)
  })

  test('another provider', async () => {
    const llm = ground.llm()
    for (const name of ['one', 'another', 'one']) {
      const openai = createOpenAI({ baseURL: ground.upstream.v1, apiKey: 'sk-test', name })
      await generateText({ ...hello, model: wrapLanguageModel({ model: openai.chat('gpt-4o-mini'), middleware: llm.middleware() }) })
    }
    expect(ground.upstream.count()).toBe(2)
  })
})

describe('it is the same question with', () => {
  test.each<[string, Ask, Ask]>([
    ['the same image', image(1, 2, 3), image(1, 2, 3)],
    ['other headers', hello, { ...hello, headers: { 'x-trace': '1' } }],
    ['a signal to abort', hello, { ...hello, abortSignal: new AbortController().signal }],
    ['tools in another order', { ...hello, tools: { weather, clock } }, { ...hello, tools: { clock, weather } }],
    ['other ids of tool calls', turns(['call_1', 'call_2'], ['call_1', 'call_2']), turns(['call_x', 'call_y'], ['call_x', 'call_y'])],
    ['hints for the cache of the provider', hello, { ...hello, providerOptions: { anthropic: { cacheControl: { type: 'ephemeral' } } } }],
    [
      'such a hint in a message',
      asked([{ role: 'user', content: 'Hello' }]),
      asked([{ role: 'user', content: 'Hello', providerOptions: { anthropic: { cacheControl: { type: 'ephemeral' } } } }]),
    ],
    ['options for this cache', hello, { ...hello, providerOptions: { tiercel: { ttl: '1m', tags: ['a'] } } }],
  ])('%s', async (_, one, other) => {
    await ask(one)
    await ask(other)
    expect(ground.upstream.count()).toBe(1)
  })
})
