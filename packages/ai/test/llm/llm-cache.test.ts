import { createCache, type CacheOptions } from '@tiercel/core'
import { describe, expect, it } from 'vitest'
import { createLLMCache, type LLMCacheOptions } from '../../src/index.js'
import { apis, open } from './fetch/opened.js'

const refusal = (code: string) => expect.objectContaining({ code }) as Error

describe('an LLM cache', () => {
  it.each<[string, object]>([
    ['without a scope', {}],
    ['with an empty scope', { scope: '' }],
    ['with an option that does not exist', { scope: 'a', tll: 1 }],
    ['with a negative TTL', { scope: 'a', ttl: -1 }],
    ['with a cache that is none', { scope: 'a', cache: new Map() }],
    ['with a cache and options of another', { scope: 'a', cache: createCache({ redis: false }), encryption: 'a'.repeat(64) }],
    ['with a namespace that cannot be', { scope: 'a', redis: false, namespace: 'a b' }],
    ['with a policy that cannot be', { scope: 'a', policy: { finish: ['end_turn'] } }],
    ['with a bound that cannot be', { scope: 'a', policy: { maxBytes: 0 } }],
    ['with prices that are none', { scope: 'a', prices: { 'gpt-5': 1.25 } }],
    ['with a secret that is short', { scope: 'a', secret: 'short' }],
    ['with usage that is neither', { scope: 'a', usage: 'none' }],
  ])('is not made %s', (_, options) => {
    expect(() => createLLMCache(options as LLMCacheOptions)).toThrow(refusal('TIERCEL_INVALID_OPTION'))
  })

  it('counts what it saved, and what that would have cost', async () => {
    await using opened = await open({ prices: { 'gpt-4o-mini': { input: 1, output: 10 }, 'claude-sonnet-4-5-20250929': { input: 3, cachedInput: 0.3, output: 15 } } })
    const { openai, anthropic, llm, stored } = opened
    const saved: string[] = []
    llm.on('hit', ({ model, saving }) => saved.push(`${model} ${(saving?.cost ?? 0) > 0}`))
    for (const _ of [1, 2, 3]) await openai.chat.completions.create(apis.chat.body).then(() => stored(1))
    for (const _ of [1, 2]) await anthropic.messages.create(apis.messages.body).then(() => stored(2))
    const { saved: sum, hits, misses } = llm.stats()
    expect({ hits, misses, tokens: [sum.inputTokens, sum.outputTokens] }).toEqual({ hits: 3, misses: 2, tokens: [42, 21] })
    expect(sum.cost).toBeCloseTo((2 * (14 + 7 * 10) + (14 * 3 + 7 * 15)) / 1e6)
    expect(saved).toEqual(['gpt-4o-mini true', 'gpt-4o-mini true', 'claude-sonnet-4-5 true'])
  })

  it('forgets by tag, model and scope, and all; and refuses to forget nothing', async () => {
    await using opened = await open({ scope: 'a' })
    const { openai, llm, cache, upstream } = opened
    let sets = 0
    const ask = async (options: object, model = 'gpt-4o-mini') => {
      const { response } = await openai.chat.completions.create({ ...apis.chat.body, model }, { headers: llm.callHeaders(options) }).withResponse()
      if (!response.headers.get('cache-status')?.endsWith('hit')) await opened.stored(++sets)
    }
    const all = async () => {
      const before = upstream.count()
      for (const options of [{ tags: ['t'] }, { scope: 'b' }]) await ask(options)
      await ask({}, 'gpt-5')
      return upstream.count() - before
    }
    expect([await all(), await all()]).toEqual([3, 0])
    await llm.invalidate({ tags: ['t'] })
    expect(await all()).toBe(1)
    await llm.invalidate({ model: 'gpt-5' })
    expect(await all()).toBe(1)
    await llm.invalidate({ scope: 'a' })
    expect(await all()).toBe(2)
    await llm.invalidate({ scope: '*' })
    await cache.set('not of the LLM cache', 1)
    sets++
    expect(await all()).toBe(0)
    await llm.invalidate({ all: true })
    expect([await all(), await cache.get('not of the LLM cache')]).toEqual([3, 1])
    for (const target of [{}, { tags: undefined }, { tag: 't' }, { model: '' }, null, { scope: 7 }]) {
      await expect(llm.invalidate(target as never), JSON.stringify(target)).rejects.toMatchObject({ code: expect.stringMatching(/TIERCEL_INVALID_(TARGET|OPTION)/) as string })
    }
  })

  it('explains why two calls are two', async () => {
    await using opened = await open()
    const { llm, upstream } = opened
    const url = `${upstream.v1}/chat/completions`
    const { body } = apis.chat
    expect(llm.explain({ url, body }, { url, body: { ...body, stream: true, user: 'u' } })).toEqual([])
    expect(llm.explain({ url, body }, { url: `${upstream.v1}/responses`, body: { ...body, model: 'gpt-5', seed: 1 } })).toEqual(['provider', 'model', 'kind', 'seed'])
    expect(() => llm.explain({ url, body }, { url: 'https://x.test/v1/files', body })).toThrow(refusal('TIERCEL_INVALID_ARGUMENT'))
  })

  it('refuses listeners that cannot be, and survives those that fail', async () => {
    await using opened = await open()
    const { llm, openai } = opened
    expect(() => llm.on('hits' as never, () => {})).toThrow(refusal('TIERCEL_INVALID_ARGUMENT'))
    expect(() => llm.on('hit', 1 as never)).toThrow(refusal('TIERCEL_INVALID_ARGUMENT'))
    let told = 0
    const end = llm.on('miss', () => {
      told++
      throw new Error('a listener that fails')
    })
    llm.on('miss', () => Promise.reject(new Error('another one')) as never)
    await openai.chat.completions.create(apis.chat.body)
    end()
    await openai.chat.completions.create({ ...apis.chat.body, seed: 1 })
    expect(told).toBe(1)
  })

  it('of its own is closed by it, one that was given is not', async () => {
    const options: CacheOptions = { redis: false }
    const cache = createCache(options)
    await createLLMCache({ cache, scope: 'a' }).close()
    expect(cache.closed).toBe(false)
    const own = createLLMCache({ ...options, scope: 'a', encryption: 'a'.repeat(64), memory: { maxEntries: 1 } })
    const ask = own.wrap(() => 1, { key: () => 1 })
    await ask()
    await own.close()
    await expect(ask()).resolves.toBe(1)
    expect(own.stats()).toMatchObject({ hits: 0, misses: 2 })
  })
})
