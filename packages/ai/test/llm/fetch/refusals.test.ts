import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apis, open, type Api, type Opened } from './opened.js'

let opened: Opened
beforeEach(async () => void (opened = await open()))
afterEach(() => opened[Symbol.asyncDispose]())

const both = (Object.keys(apis) as Api[]).flatMap((api) => [false, true].map((stream) => [api, stream ? 'streamed' : 'plain', { ...apis[api].body, stream }] as const))

async function ended(response: Promise<Response>): Promise<string> {
  return (await response).text().catch(() => 'broken off')
}

describe('an answer over HTTP is not stored', () => {
  it.each(both.flatMap(([api, form, body]) => (['length', 'refusal', 'content-filter', 'empty', 'provider-tool'] as const).map((answer) => [answer, api, form, body] as const)))('when it is "%s" (%s, %s)', async (answer, api, _, body) => {
    const { upstream, post, llm } = opened
    const missing = (api === 'messages' && answer === 'content-filter') || (api === 'chat' && answer === 'provider-tool')
    if (missing) return
    upstream.answer(answer)
    const first = await ended(post(apis[api].path, body))
    expect(await ended(post(apis[api].path, body))).toBe(first)
    expect(upstream.count()).toBe(2)
    const reason = { length: 'finish', refusal: 'finish', 'content-filter': 'finish', empty: 'empty', 'provider-tool': 'provider-tools' }[answer]
    expect(llm.stats().refused).toEqual({ [reason]: 2 })
  })

  it.each(Object.keys(apis) as Api[])('when a stream of %s breaks off, fails half way, or has no end', async (api) => {
    const { upstream, post, llm } = opened
    const { path, body } = apis[api]
    const streamed = { ...body, stream: true }
    upstream.next({ breakAfter: 3 })
    expect(await ended(post(path, streamed))).toBe('broken off')
    upstream.next({ errorAfter: 3 })
    expect(await ended(post(path, streamed))).toContain('The upstream was asked to fail')
    upstream.next({ terminator: false })
    await ended(post(path, streamed))
    expect(await ended(post(path, streamed))).toContain('Paris')
    expect(upstream.count(api)).toBe(4)
    expect(llm.stats()).toMatchObject({ hits: 0, misses: 4, refused: { incomplete: 2 } })
  })

  it.each([400, 401, 429, 500, 529])('when its status is %d: it is given as it came, to all who waited for it', async (status) => {
    const { upstream, post, llm } = opened
    const { path, body } = apis.chat
    const turn = upstream.next({ status, holdAfter: 0, headers: { 'retry-after': '7' } })
    const first = post(path, { ...body, stream: true })
    await turn.held
    const second = post(path, body)
    turn.release()
    const [a, b] = await Promise.all([first, second])
    expect([a.status, b.status, upstream.count()]).toEqual([status, status, 1])
    expect(a.headers.get('retry-after')).toBe('7')
    expect(await a.text()).toContain('asked to fail')
    expect(await b.text()).toContain('asked to fail')
    await ended(post(path, body))
    expect(upstream.count()).toBe(2)
    expect(llm.stats().refused).toEqual({ error: 1 })
  })

  it('when it is no answer of a model at all', async () => {
    const { upstream, post, llm } = opened
    upstream.next({ headers: { 'content-type': 'text/html' } })
    const first = await post('/chat/completions', apis.chat.body)
    expect(first.headers.get('content-type')).toBe('text/html')
    expect(await first.text()).toContain('Paris')
    expect(llm.stats().refused).toEqual({ form: 1 })
    upstream.answer('text')
    await ended(post('/chat/completions', apis.chat.body))
    expect(upstream.count()).toBe(2)
  })
})

describe('a call over HTTP goes past the cache', () => {
  it.each([
    ['in the background', { background: true }],
    ['in a conversation that the provider keeps', { conversation: 'conv_1' }],
  ])('when it is %s', async (_, more) => {
    const { upstream, post } = opened
    for (const time of ['first', 'second']) {
      const response = await post('/responses', { ...apis.responses.body, ...more })
      expect(response.headers.get('cache-status'), time).toBe('tiercel-llm; fwd=bypass')
      await response.text()
    }
    expect(upstream.count()).toBe(2)
  })

  it('when it is none of a model, and is then passed on as it is', async () => {
    const seen: unknown[] = []
    const fetch = opened.llm.fetch(async (...given) => {
      seen.push(given)
      return new Response('ok')
    })
    const init = { method: 'POST', body: new FormData() }
    await fetch('https://api.test/v1/files', init)
    await fetch('https://api.test/v1/chat/completions', { headers: { accept: 'x' } })
    await fetch(new URL('https://api.test/v1/models'))
    const posted = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"role":"user","content":"hi"}' }
    await fetch('https://api.test/v1/threads/t1/messages', posted)
    expect(seen).toEqual([['https://api.test/v1/files', init], ['https://api.test/v1/chat/completions', { headers: { accept: 'x' } }], [new URL('https://api.test/v1/models'), undefined], ['https://api.test/v1/threads/t1/messages', posted]])
  })
})
