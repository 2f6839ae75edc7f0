import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apis, open, type Opened } from './opened.js'

let opened: Opened
beforeEach(async () => void (opened = await open({ scope: () => 'a' })))
afterEach(() => opened[Symbol.asyncDispose]())

const { path, body } = apis.chat

async function statusOf(response: Promise<Response>): Promise<string> {
  const { headers, text } = await response.then(async (given) => ({ headers: given.headers, text: await given.text() }))
  expect(text).toContain('Paris')
  return (headers.get('cache-status') ?? '').replace('tiercel-llm; ', '')
}

describe('what makes two calls over HTTP one', () => {
  it.each<[string, object, RequestInit?]>([
    ['who it is booked to', { user: 'u1', metadata: { a: '1' }, safety_identifier: 's', service_tier: 'flex', store: true, prompt_cache_key: 'k' }],
    ['what the client says of itself', {}, { headers: { 'user-agent': 'other', 'x-stainless-lang': 'js', 'idempotency-key': 'x', authorization: 'Bearer rotated' } }],
    ['the order of fields and tools', { messages: [{ content: 'The capital of France?', role: 'user' }] }],
  ])('is not %s', async (_, more, init) => {
    expect(await statusOf(opened.post(path, body))).toBe('fwd=miss')
    await opened.stored(1)
    expect(await statusOf(opened.post(path, { ...body, ...more }, init))).toBe('hit')
  })

  it.each<[string, object, RequestInit?, string?]>([
    ['the model', { model: 'gpt-5' }],
    ['the temperature', { temperature: 1 }],
    ['the seed', { seed: 7 }],
    ['the response format', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }],
    ['the bytes of an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAB' } }] }] }],
    ['the beta', {}, { headers: { 'openai-beta': 'x' } }],
    ['the number of choices', { n: 2 }],
    ['where it stops', { stop: ['.'] }],
    ['whether it says how likely it was', { logprobs: true, top_logprobs: 2 }],
    ['the address of an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.test/1.png' } }] }] }],
    ['a field with the name of what else is asked', { headers: { 'x-backend': 'b' } }],
  ])('is %s', async (_, more, init) => {
    await statusOf(opened.post(path, body))
    await opened.stored(1)
    expect(await statusOf(opened.post(path, { ...body, ...more }, init))).toBe('fwd=miss')
  })

  it('is not the order of tools, nor the ids of calls; but which result belongs to which call', async () => {
    const tool = (name: string) => ({ type: 'function', function: { name, parameters: {} } })
    const said = (first: string, second: string, tools: readonly string[], results = [first, second]) => ({
      ...body,
      tools: tools.map(tool),
      messages: [
        ...body.messages,
        { role: 'assistant', tool_calls: [first, second].map((id, i) => ({ id, type: 'function', function: { name: 'a', arguments: `{"i":${i}}` } })) },
        ...results.map((id, i) => ({ role: 'tool', tool_call_id: id, content: `result ${i}` })),
      ],
    })
    await statusOf(opened.post(path, said('call_1', 'call_2', ['a', 'b'])))
    await opened.stored(1)
    expect(await statusOf(opened.post(path, said('call_3', 'call_4', ['b', 'a'])))).toBe('hit')
    expect(await statusOf(opened.post(path, said('call_3', 'call_4', ['b', 'a'], ['call_4', 'call_3'])))).toBe('fwd=miss')
  })

  it('is which result belongs to which call also when the calls are with the provider', async () => {
    const said = (...outputs: readonly string[]) => ({ model: 'gpt-5', previous_response_id: 'resp_1', input: outputs.map((call_id, i) => ({ type: 'function_call_output', call_id, output: `result ${i}` })) })
    expect(await statusOf(opened.post('/responses', said('call_a', 'call_b')))).toBe('fwd=miss')
    await opened.stored(1)
    expect(await statusOf(opened.post('/responses', said('call_b', 'call_a')))).toBe('fwd=miss')
    await opened.stored(2)
    expect(await statusOf(opened.post('/responses', said('call_a', 'call_b')))).toBe('hit')
    expect(await statusOf(opened.post('/responses', { ...said('call_a', 'call_b'), previous_response_id: 'resp_2' }))).toBe('fwd=miss')
  })

  it('is the model, whatever it is called', async () => {
    expect(await statusOf(opened.post(path, { ...body, model: 1 }))).toBe('fwd=miss')
    await opened.stored(1)
    expect(await statusOf(opened.post(path, { ...body, model: 2 }))).toBe('fwd=miss')
  })

  it('is the address, but not the key that is in it', async () => {
    const { llm, upstream } = opened
    const fetch = llm.fetch((_, init) => globalThis.fetch(`${upstream.v1}${path}`, init))
    const ask = (address: string) => statusOf(fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }))
    expect(await ask('https://a.test/v1/chat/completions?api-version=1&key=secret')).toBe('fwd=miss')
    await opened.stored(1)
    expect(await ask('https://a.test/v1/chat/completions?key=other&api-version=1')).toBe('hit')
    expect(await ask('https://a.test/v1/chat/completions?api-version=2')).toBe('fwd=miss')
    expect(await ask('https://b.test/v1/chat/completions?api-version=1')).toBe('fwd=miss')
  })
})

describe('what one call over HTTP says to the cache', () => {
  it('is in a header that the provider does not see', async () => {
    const { openai, llm, upstream } = opened
    const ask = (options: Parameters<typeof llm.callHeaders>[0]) => openai.chat.completions.create(body, { headers: llm.callHeaders(options) }).withResponse()
    const statuses: (string | null)[] = []
    for (const options of [{ scope: 'Zoë 🦊', tags: ['doc:1'] }, { scope: 'Zoë 🦊' }, { scope: 'Zoe' }, { scope: 'Zoë 🦊', refresh: true }, { noStore: true, scope: 'c' }]) {
      const { response } = await ask(options)
      statuses.push(response.headers.get('cache-status'))
    }
    expect(statuses).toEqual(['fwd=miss', 'hit', 'fwd=miss', 'fwd=miss', 'fwd=miss'].map((status) => `tiercel-llm; ${status}`))
    for (const { headers } of upstream.calls) expect(headers).not.toHaveProperty('x-tiercel-llm')
    expect(upstream.count()).toBe(4)
  })

  it('is refused at once when there are no options', () => {
    for (const none of [undefined, null, 'ttl']) expect(() => opened.llm.callHeaders(none as never)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
  })

  it.each(['no JSON', '{"ttl":"soon"}', '{"nostore":true}', '[]'])('is refused when it is %s, and nothing is sent', async (header) => {
    await expect(opened.post(path, body, { headers: { 'x-tiercel-llm': header } })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
    expect(opened.upstream.count()).toBe(0)
  })

  it('does not reach the provider either by a call that is passed on', async () => {
    await opened.fetch(`${opened.upstream.v1}/embeddings`, { method: 'POST', headers: { 'x-tiercel-llm': '{}' }, body: JSON.stringify({ input: 'x', model: 'e' }) })
    expect(opened.upstream.calls[0]?.headers).not.toHaveProperty('x-tiercel-llm')
  })

  it('can come with a Request as well', async () => {
    const { llm, upstream, fetch, stored } = opened
    const ask = () => fetch(new Request(`${upstream.v1}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...llm.callHeaders({ scope: 'r' }) }, body: JSON.stringify(body) }))
    expect(await statusOf(ask())).toBe('fwd=miss')
    await stored(1)
    expect(await statusOf(ask())).toBe('hit')
    expect(upstream.calls[0]?.headers).not.toHaveProperty('x-tiercel-llm')
  })
})

describe('whoever asks over HTTP', () => {
  it('gets a stream as it comes, also when somebody else began it, and its usage but once', async () => {
    const { openai, upstream } = opened
    const turn = upstream.next({ answer: 'text', holdAfter: 3 })
    const ask = () => openai.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } })
    const read = async (stream: AsyncIterable<{ choices: readonly { delta: { content?: string | null } }[]; usage?: { total_tokens: number } | null }>) => {
      const seen = { text: '', tokens: 0 }
      for await (const { choices, usage } of stream) {
        seen.text += choices[0]?.delta.content ?? ''
        seen.tokens += usage?.total_tokens ?? 0
        // The provider goes on only once something has arrived.
        if (seen.text !== '') turn.release()
      }
      return seen
    }
    const first = await ask()
    await turn.held
    const second = await ask()
    await expect(Promise.all([read(first), read(second)])).resolves.toEqual([
      { text: 'Paris is the capital of France.', tokens: 21 },
      { text: 'Paris is the capital of France.', tokens: 0 },
    ])
    expect(upstream.count()).toBe(1)
  })

  it('and goes away leaves the others alone; the provider is told when the last has gone', async () => {
    const { openai, upstream } = opened
    const turn = upstream.next({ holdAfter: 2 })
    const streams = [await openai.chat.completions.create({ ...body, stream: true }), await openai.chat.completions.create({ ...body, stream: true })]
    const { ended } = await turn.held
    streams[0]?.controller.abort()
    let isEnded = false
    void ended.then(() => (isEnded = true))
    const iterator = streams[1]?.[Symbol.asyncIterator]()
    await iterator?.next()
    expect(isEnded).toBe(false)
    await iterator?.return?.()
    await expect(ended).resolves.toBe('client gone')
    expect(upstream.count()).toBe(1)
  })

  it('through a cache behind the same cache is not left to wait for itself', async () => {
    const { llm, upstream, fetch, stored } = opened
    const twice = llm.fetch(fetch)
    const ask = () => twice(`${upstream.v1}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    expect(await statusOf(ask())).toContain('fwd=miss')
    await stored(1)
    expect(await statusOf(ask())).toBe('hit')
    expect(upstream.count()).toBe(1)
  })

  it('and stops reading at the end has an answer that is stored', async () => {
    const { post, upstream, stored } = opened
    // The connection is kept open after the last event.
    const turn = upstream.next({ holdAfter: 10 })
    const response = await post(path, { ...body, stream: true })
    await turn.held
    const reader = response.body?.getReader()
    let text = ''
    while (!text.includes('[DONE]')) text += Buffer.from((await reader?.read())?.value ?? []).toString()
    await reader?.cancel()
    turn.release()
    await stored(1)
    expect(await statusOf(post(path, { ...body, stream: true }))).toBe('hit')
  })
})
