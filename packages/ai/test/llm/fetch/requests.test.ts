import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { answered, sse } from './answered.js'

const plain = JSON.stringify({ id: 'c1', object: 'chat.completion', model: 'm-1', choices: [{ index: 0, message: { role: 'assistant', content: 'Paris' }, finish_reason: 'stop' }] })
const streamed = sse({ id: 'c1', choices: [{ index: 0, delta: { content: 'Paris' }, finish_reason: 'stop' }] }, 'data: [DONE]\n\n')
const address = 'https://api.test/v1/chat/completions'
const json = { method: 'POST', headers: { 'content-type': 'application/json' } }

describe('what is asked for by a Request', () => {
  it('goes through a cache behind the same cache and is not left to wait for itself', async () => {
    await using provider = answered(plain)
    const twice = provider.llm.fetch(provider.fetch)
    const response = await twice(new Request(address, { ...json, body: '{"model":"m","messages":[]}' }))
    expect(await response.json()).toMatchObject({ id: 'c1' })
    expect(provider.llm.stats().refused).toEqual({ nested: 1 })
  })

  it('is passed on before its body has ended when it is no call of a model', async () => {
    await using provider = answered('ok')
    const body = new ReadableStream({})
    const given = { ...json, body, duplex: 'half' } as RequestInit
    const response = await provider.fetch(new Request('https://api.test/v1/uploads', given))
    expect(await response.text()).toBe('ok')
  })

  it('may have a body that streams', async () => {
    await using provider = answered(plain)
    const ask = () => {
      const given = { ...json, body: new Blob(['{"model":"m","messages":[]}']).stream(), duplex: 'half' } as RequestInit
      return provider.fetch(new Request(address, given))
    }
    for (const status of ['fwd=miss', 'hit']) {
      const response = await ask()
      expect(await response.json()).toMatchObject({ id: 'c1' })
      expect(response.headers.get('cache-status')).toBe(`tiercel-llm; ${status}`)
    }
    expect(await provider.calls[0]?.text()).toBe('{"model":"m","messages":[]}')
  })
})

describe('a response out of the cache', () => {
  it('can be read in every way, is ok, and says where it is from', async () => {
    await using provider = answered(plain)
    await (await provider.ask()).text()
    const response = await provider.ask()
    expect(response).toMatchObject({ ok: true, status: 200, url: address, redirected: false, bodyUsed: false })
    const copy = response.clone()
    expect(await response.json()).toEqual(JSON.parse(plain))
    expect(Buffer.from(await copy.arrayBuffer()).toString()).toBe(plain)
    expect(response.bodyUsed).toBe(true)
  })

  it('is cloned as a stream', async () => {
    await using provider = answered(streamed, 'text/event-stream')
    await (await provider.ask({ stream: true })).text()
    const response = await provider.ask({ stream: true })
    const copy = response.clone()
    expect(await Promise.all([response.text(), copy.text()])).toEqual([streamed, streamed])
    expect(provider.calls.length).toBe(1)
  })
})

it('a signal that outlives an answer that nobody reads is left without listeners', async () => {
  const { signal } = new AbortController()
  await using provider = answered(streamed, 'text/event-stream')
  const unread = await provider.ask({ stream: true }, undefined, { signal })
  await expect.poll(async () => (await provider.ask({ stream: true })).headers.get('cache-status')).toBe('tiercel-llm; hit')
  expect(getEventListeners(signal, 'abort')).toEqual([])
  expect(await unread.text()).toBe(streamed)
})

it('a signal that outlives many calls is left without listeners', async () => {
  const { signal } = new AbortController()
  await using provider = answered(streamed, 'text/event-stream')
  for (const more of [{}, { stream: true }, { temperature: 1 }, { stream: true, temperature: 2 }, { stream: true, temperature: 2 }]) {
    await (await provider.ask(more, undefined, { signal })).text()
  }
  await provider.ask({ stream: true, temperature: 3 }, undefined, { signal }).then((response) => response.body?.cancel())
  await expect.poll(() => provider.calls.length).toBe(4)
  // The calls themselves are made with signals that the test has not given.
  expect(getEventListeners(signal, 'abort')).toEqual([])
})
