import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apis, open, type Api, type Opened } from './opened.js'

const cases = (Object.keys(apis) as Api[]).flatMap((api) => ['text', 'multi-byte', 'parallel-tools', 'reasoning'].map((answer) => [api, answer] as const))

async function bytesOf(response: Promise<Response>): Promise<Buffer> {
  return Buffer.from(await (await response).arrayBuffer())
}

let opened: Opened
beforeEach(async () => void (opened = await open({ usage: 'original' })))
afterEach(() => opened[Symbol.asyncDispose]())

describe('an answer over HTTP', () => {
  it.each(cases)('of %s, "%s", is the same byte for byte the second time, plain and as a stream', async (api, answer) => {
    const { upstream, post, stored } = opened
    const { path, body } = apis[api]
    upstream.answer(answer)
    for (const [i, said] of [{ ...body, temperature: 0 }, { ...body, stream: true, stream_options: { include_usage: true } }].entries()) {
      const first = await post(path, said)
      const bytes = Buffer.from(await first.arrayBuffer())
      await stored(i + 1)
      const second = await post(path, said)
      expect(Buffer.from(await second.arrayBuffer())).toEqual(bytes)
      expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
      expect([first, second].map(({ headers }) => headers.get('cache-status'))).toEqual(['tiercel-llm; fwd=miss', 'tiercel-llm; hit'])
    }
    expect(upstream.count()).toBe(2)
  })

  it.each(Object.keys(apis) as Api[])('of %s is stored and replayed the same when it comes split at every byte', async (api) => {
    const { upstream, post, stored } = opened
    const { path, body } = apis[api]
    upstream.answer('multi-byte')
    const whole = await bytesOf(fetch(`${upstream.v1}${path}`, { method: 'POST', body: JSON.stringify({ ...body, stream: true }) }))
    upstream.next({ splitAt: 'bytes' })
    expect(await bytesOf(post(path, { ...body, stream: true }))).toEqual(whole)
    await stored(1)
    expect(await bytesOf(post(path, { ...body, stream: true }))).toEqual(whole)
    expect(upstream.count(api)).toBe(2)
  })

  it.each([
    ['with a head that is none', { head: null }],
    ['with a status that is none', { head: { status: 7, headers: [], isOpaque: false } }],
    ['with headers that cannot be sent', { head: { status: 200, headers: [['x', 'a\r\nset-cookie: b']], isOpaque: false } }],
    ['with something else than text', { items: [{ length: 3 }] }],
  ])('is a miss when it was poisoned, %s', async (_, poison) => {
    const { cache, llm, upstream, post, stored } = opened
    const { path, body } = apis.chat
    const keys: (string | undefined)[] = []
    llm.on('miss', ({ key }) => keys.push(key))
    await (await post(path, body)).text()
    await stored(1)
    const namespace = cache.namespace('llm')
    await namespace.set(keys[0] ?? '', { ...(await namespace.get<object>(keys[0] ?? '')), ...poison })
    expect((await post(path, body)).headers.get('cache-status')).toBe('tiercel-llm; fwd=miss')
    expect(upstream.count()).toBe(2)
  })

  it('has the headers of the provider the first time, and only those that are true of any later', async () => {
    const { upstream, post, stored } = opened
    const { path, body } = apis.chat
    upstream.next({ gzip: true, headers: { date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'x-ratelimit-limit-tokens': '7', 'openai-organization': 'acme', 'openai-version': '2020-10-01' } })
    const first = await post(path, body)
    const text = await first.text()
    await stored(1)
    const second = await post(path, body)
    expect(await second.text()).toBe(text)
    expect(first.headers.get('set-cookie')).toContain('__cf_bm')
    expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('7')
    for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) expect([first.headers.has(name), second.headers.has(name)], name).toEqual([false, false])
    for (const name of ['set-cookie', 'date', 'x-ratelimit-limit-tokens', 'openai-organization']) expect(second.headers.has(name), name).toBe(false)
    expect(second.headers.get('openai-version')).toBe('2020-10-01')
    expect(second.headers.get('age')).toMatch(/^\d+$/)
    expect(second.headers.get('x-tiercel-llm-saved')).toBe('input=14, output=7')
  })
})
