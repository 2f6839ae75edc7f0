import { createCache } from '@tiercel/core'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { createLLMCache, type LLMCacheOptions } from '../../src/index.js'

function open(options: Partial<LLMCacheOptions> = {}) {
  const cache = createCache({ redis: false })
  return { cache, llm: createLLMCache({ cache, scope: 'public', ...options }) }
}

describe('a function that is wrapped', () => {
  it('is called once for calls with the same key, and gives copies that nobody shares', async () => {
    const { llm } = open()
    let asked = 0
    const ask = llm.wrap(
      async (question: string, _tracing?: object) => {
        asked++
        return { text: `you said ${question}`, at: new Date(0), bytes: new Uint8Array([1]) }
      },
      { key: (question) => ({ question }) },
    )
    const first = await ask('hi')
    first.text = 'changed'
    const second = await ask('hi', { trace: 1 })
    second.text = 'changed too'
    expectTypeOf(second.at).toEqualTypeOf<Date>()
    expect(await ask('hi')).toEqual({ text: 'you said hi', at: new Date(0), bytes: new Uint8Array([1]) })
    expect(asked).toBe(1)
    const [one, other] = await Promise.all([ask('ho'), ask('ho')])
    one.bytes[0] = 2
    expect(other.bytes[0]).toBe(1)
    expect(asked).toBe(2)
  })

  it('gives parts as they come, and again', async () => {
    const { llm, cache } = open()
    let asked = 0
    const ask = llm.wrap(
      async function* answer(question: string) {
        asked++
        yield question
        yield 'yes'
      },
      { key: (question) => question, outcome: (parts) => ({ finish: parts.includes('cut') ? 'length' : 'stop', usage: { inputTokens: 1, outputTokens: parts.length } }) },
    )
    const read = async (question: string) => {
      const parts: string[] = []
      for await (const part of await ask(question)) parts.push(part)
      return parts
    }
    for (const question of ['hi', 'hi', 'cut', 'cut']) expect(await read(question)).toEqual([question, 'yes'])
    expect(asked).toBe(3)
    expect(llm.stats()).toMatchObject({ hits: 1, refused: { finish: 2 }, saved: { inputTokens: 1, outputTokens: 2 } })
    await cache.close()
  })

  it('is not cached for what it throws, nor for what is no data', async () => {
    const { llm } = open()
    let asked = 0
    class Reply {
      asked = ++asked
    }
    const fails = llm.wrap(() => Promise.reject(new Error(`overloaded ${++asked}`)), { key: () => 1, name: 'fails' })
    await expect(fails()).rejects.toThrow('overloaded 1')
    await expect(fails()).rejects.toThrow('overloaded 2')
    const gives = llm.wrap(() => new Reply(), { key: () => 1, name: 'gives' })
    expect([(await gives()).asked, (await gives()).asked]).toEqual([3, 4])
    expect(llm.stats().refused).toEqual({ form: 2 })
  })

  it('is told apart by its name, and takes options for every call and for one', async () => {
    const { llm } = open({ scope: 'a' })
    let asked = 0
    const options = { key: () => 'k', model: 'm', tags: ['t'], options: (how: object) => how }
    const one = llm.wrap((_how: object) => ++asked, { ...options, name: 'one' })
    const other = llm.wrap((_how: object) => ++asked, { ...options, name: 'other' })
    expect([await one({}), await other({}), await one({}), await one({ scope: 'b' }), await one({ refresh: true }), await one({})]).toEqual([1, 2, 1, 3, 4, 4])
    await llm.invalidate({ model: 'm' })
    expect(await one({})).toBe(5)
    await llm.invalidate({ tags: ['t'] })
    expect(await one({})).toBe(6)
    await llm.invalidate({ scope: 'b' })
    expect([await one({}), await one({ scope: 'b' })]).toEqual([6, 7])
  })

  it('does not wait for itself when it is behind the cache several times', async () => {
    const { llm } = open()
    let asked = 0
    const options = { key: () => 'k', name: 'ask' }
    const thrice = llm.wrap(llm.wrap(llm.wrap(() => ++asked, options), options), options)
    expect([await thrice(), await thrice(), asked]).toEqual([1, 1, 1])
    expect(llm.stats().refused).toEqual({ nested: 2 })
  })

  it('is refused at once when it cannot be', () => {
    const { llm } = open()
    const key = () => 1
    expect(() => llm.wrap('x' as never, { key })).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    for (const options of [{}, { key: 1 }, { key, ttl: -1 }, { key, tag: 'x' }, { key, model: 1 }, { key, outcome: 'stop' }]) {
      expect(() => llm.wrap(() => 1, options as never), JSON.stringify(options)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
    }
  })
})
