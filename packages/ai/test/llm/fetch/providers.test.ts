import { describe, expect, it } from 'vitest'
import { answered, sse } from './answered.js'

const chunk = (delta: object, more: object = {}, head: object = {}) => ({ id: 'c1', object: 'chat.completion.chunk', created: 7, model: 'm-1', ...head, choices: [{ index: 0, delta, finish_reason: null, ...more }] })
const DONE = 'data: [DONE]\n\n'

describe('a stream of a provider with ways of its own, given as a plain answer', () => {
  it('has the name of the model when the first chunk has not', async () => {
    const first = { id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] }
    const filtered = { content_filter_results: { hate: { filtered: false } } }
    await using provider = answered(sse(first, chunk({ role: 'assistant', content: 'Paris' }, filtered), chunk({}, { finish_reason: 'stop', stop_reason: 7 }), DONE), 'text/event-stream')
    const whole = (await (await provider.ask({ stream: false })).json()) as object
    expect(whole).toMatchObject({ id: 'c1', object: 'chat.completion', created: 7, model: 'm-1', prompt_filter_results: [{ prompt_index: 0 }] })
    expect(whole).toMatchObject({ choices: [{ ...filtered, stop_reason: 7, finish_reason: 'stop', message: { role: 'assistant', content: 'Paris' } }] })
  })

  it('has its beginning when there is a byte order mark before it', async () => {
    await using provider = answered(`\uFEFF${sse(chunk({ content: 'Pa' }), chunk({ content: 'ris' }, { finish_reason: 'stop' }), DONE)}`, 'text/event-stream')
    expect(await (await provider.ask({ stream: true })).text()).toContain('Pa')
    expect(await (await provider.ask()).json()).toMatchObject({ choices: [{ message: { content: 'Paris' } }] })
    expect(provider.calls.length).toBe(1)
  })

  it('says once what the chunks say again and again', async () => {
    const call = (more: object) => chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'find', ...more } }] })
    const thought = (text: string) => chunk({ reasoning_details: [{ index: 0, type: 'reasoning.text', format: 'x-v1', text }] })
    await using provider = answered(sse(thought('a'), thought('b'), call({ arguments: '{"a"' }), call({ arguments: ':1}' }), chunk({}, { finish_reason: 'tool_calls' }), DONE), 'text/event-stream')
    const { choices } = (await (await provider.ask()).json()) as { choices: readonly { message: object }[] }
    expect(choices[0]?.message).toEqual({
      reasoning_details: [{ type: 'reasoning.text', format: 'x-v1', text: 'ab' }],
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"a":1}' } }],
    })
  })
})

it('a plain answer with fields of its own has them as a stream', async () => {
  const choice = { index: 0, message: { role: 'assistant', content: 'Paris' }, finish_reason: 'stop', content_filter_results: { hate: { filtered: false } } }
  await using provider = answered(JSON.stringify({ id: 'c1', object: 'chat.completion', model: 'm-1', choices: [choice] }))
  expect(await (await provider.ask({ stream: true })).text()).toContain('"content_filter_results":{"hate"')
})

describe('what a provider answers with status 200', () => {
  const error = { error: { message: 'Overloaded', code: 529 } }

  it.each([
    ['chat/completions', error],
    ['responses', error],
    ['messages', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }],
  ])('to %s and is an error is given as it came to who wanted a stream, and not stored', async (path, body) => {
    await using provider = answered(JSON.stringify(body))
    for (const time of [1, 2]) {
      const response = await provider.ask({ stream: true }, path)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.json()).toEqual(body)
      expect(provider.calls.length).toBe(time)
    }
    expect(provider.llm.stats().refused).toEqual({ incomplete: 2 })
  })

  it('and is an error after the answer, in an event of that name, is not stored', async () => {
    await using provider = answered(sse(chunk({ content: 'Paris' }, { finish_reason: 'stop' }), 'event: error\ndata: {"message":"Overloaded"}\n\n', DONE), 'text/event-stream')
    await (await provider.ask({ stream: true })).text()
    expect(provider.llm.stats().refused).toEqual({ incomplete: 1 })
  })

  it('and has one of two choices cut short is not stored', async () => {
    const second = { ...chunk({ content: 'Par' }), choices: [{ index: 1, delta: { content: 'Par' }, finish_reason: null }] }
    await using provider = answered(sse(chunk({ content: 'Paris' }), second, chunk({}, { finish_reason: 'stop' }), DONE), 'text/event-stream')
    await (await provider.ask({ stream: true, n: 2 })).text()
    expect(provider.llm.stats().refused).toEqual({ incomplete: 1 })
  })

  it.each([
    ['plain', 'application/json', JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message: { content: 'Rain.', annotations: [{ type: 'url_citation' }] } }] })],
    ['as a stream', 'text/event-stream', sse(chunk({ content: 'Rain.' }), chunk({ annotations: [{ type: 'url_citation' }] }, { finish_reason: 'stop' }), DONE)],
  ])('and has looked up in the web is not stored, %s', async (_, type, body) => {
    await using provider = answered(body, type)
    await (await provider.ask({ stream: type !== 'application/json' })).text()
    expect(provider.llm.stats().refused).toEqual({ 'provider-tools': 1 })
  })

  it('and does not call a stream is given as it comes', async () => {
    let go: (text: string) => void = () => {}
    const body = () => new ReadableStream<Uint8Array>({ start: (controller) => void (go = (text) => controller.enqueue(Buffer.from(text))) })
    await using provider = answered(body, 'text/plain')
    const response = provider.ask({ stream: true })
    await expect.poll(() => provider.calls.length).toBe(1)
    go('data: {}\n')
    const reader = (await response).body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: {}\n')
    await reader?.cancel()
  })
})

it('vectors of a provider that writes small numbers as bytes are given as they come', async () => {
  await using provider = answered('{"data":[{"index":0,"embedding":"AQIDBAUGBwg="}]}')
  for (const asked of [1, 2]) {
    const response = await provider.ask({ input: 'x', output_dtype: 'int8', encoding_format: 'base64' }, 'embeddings')
    expect(await response.json()).toEqual({ data: [{ index: 0, embedding: 'AQIDBAUGBwg=' }] })
    expect(provider.calls.length).toBe(asked)
  }
})
