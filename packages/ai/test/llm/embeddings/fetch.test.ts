import { describe, expect, test } from 'vitest'
import { open } from '../fetch/opened.js'
import { vectorOf } from '../upstream/index.js'

const model = 'text-embedding-3-small'
const given = (...texts: string[]) => texts.map((text) => [...vectorOf(text)])

describe('the client of OpenAI, behind the cache', () => {
  test('asks for what it has not asked for before, and is given all in order', async () => {
    await using opened = await open()
    const { openai, upstream } = opened
    const first = await openai.embeddings.create({ model, input: ['one', 'two'] })
    const second = await openai.embeddings.create({ model, input: ['three', 'two', 'one'] })
    expect([first, second].map(({ data }) => data.map(({ embedding }) => embedding))).toEqual([given('one', 'two'), given('three', 'two', 'one')])
    expect([first.usage.total_tokens, second.usage.total_tokens]).toEqual([2, 2])
    expect(upstream.embedded).toEqual(['one', 'two', 'three'])
  })

  test('is told how it was served, and what it saved', async () => {
    await using opened = await open()
    const { openai } = opened
    const status = async (input: string | string[]) => {
      const { response } = await openai.embeddings.create({ model, input }).withResponse()
      return [response.headers.get('cache-status'), response.headers.get('x-tiercel-llm-saved')]
    }
    expect(await status('one')).toEqual(['tiercel-llm; fwd=miss', null])
    expect(await status('one')).toEqual(['tiercel-llm; hit', 'input=1, output=0'])
    expect(await status(['one', 'two'])).toEqual(['tiercel-llm; fwd=miss', 'input=1, output=0'])
  })

  test('is given one vector in each way of writing it', async () => {
    await using opened = await open()
    const { openai, upstream } = opened
    for (const encoding_format of ['float', 'base64', undefined] as const) {
      const { data } = await openai.embeddings.create({ model, input: 'one', ...(encoding_format && { encoding_format }) })
      const embedding: unknown = data[0]?.embedding
      expect(typeof embedding === 'string' ? [...new Float32Array(Uint8Array.from(Buffer.from(embedding, 'base64')).buffer)] : embedding).toEqual([...vectorOf('one')])
    }
    expect(upstream.count()).toBe(1)
  })

  test('may ask by tokens, and is not given those of a text or of other dimensions', async () => {
    await using opened = await open()
    const { post, upstream } = opened
    for (const asked of [{ input: [1, 2] }, { input: [[1, 2], [3]] }, { input: '1,2' }, { input: '1,2', dimensions: 3 }]) expect((await post('/embeddings', { model, ...asked })).status).toBe(200)
    expect(upstream.calls.map(({ body }) => body.input)).toEqual([[[1, 2]], [[3]], ['1,2'], ['1,2']])
  })

  test('is given the errors of the provider as they are, and they are not stored', async () => {
    await using opened = await open()
    const { openai, upstream } = opened
    upstream.next({ status: 429, headers: { 'retry-after': '7' } })
    await expect(openai.embeddings.create({ model, input: 'one' })).rejects.toMatchObject({ status: 429, error: { type: 'invalid_request_error' } })
    expect((await openai.embeddings.create({ model, input: 'one' })).data).toHaveLength(1)
  })

  test('may say for one call how it is cached', async () => {
    await using opened = await open()
    const { openai, llm, upstream } = opened
    for (let time = 0; time < 2; time++) await openai.embeddings.create({ model, input: 'one' }, { headers: llm.callHeaders({ noStore: true }) })
    expect(upstream.count()).toBe(2)
    expect(upstream.calls[0]?.headers).not.toHaveProperty('x-tiercel-llm')
  })
})
