import { createCache } from '@tiercel/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Model, openEngine, partsOf, requestFor, words } from './words.js'
import type { Engine } from '../../../src/llm/engine.js'

async function ask(engine: Engine, model: Model, answer: string, more: Parameters<Model['plain']>[2] = {}): Promise<string> {
  const served = await engine.serve(model.plain('hi', answer, more))
  await served.whole()
  await engine.settled()
  return served.served
}

describe('an answer is not stored', () => {
  it.each([
    ['that was truncated', 'hello|length used 1', 'finish'],
    ['that was filtered', 'hello|content-filter used 1', 'finish'],
    ['that is empty', 'stop used 1', 'empty'],
    ['that has no end', 'hello', 'incomplete'],
    ['that is too large', `${'x'.repeat(2000)}|stop used 1`, 'too-large'],
    ['that its owner does not want', 'sorry|stop used 1', 'should-store'],
  ])('%s', async (_, answer, reason) => {
    const { engine } = openEngine({ policy: { maxBytes: 1000, shouldStore: ({ whole }) => !String(whole()).startsWith('sorry') } })
    const model = new Model()
    await expect(ask(engine, model, answer)).resolves.toBe('miss')
    await expect(ask(engine, model, answer)).resolves.toBe('miss')
    expect(engine.figures.stats().refused).toEqual({ [reason]: 2 })
  })

  it('for which nobody can say whose it is, and the call is not shared', async () => {
    const { engine } = openEngine({ scope: () => '' })
    const model = new Model()
    const answers = await Promise.all([engine.serve(model.plain('hi')), engine.serve(model.plain('hi'))])
    expect(answers.map(({ served }) => served)).toEqual(['bypass', 'bypass'])
    await expect(answers[0]?.whole()).resolves.toBe('hello|stop used 7')
    expect(engine.figures.stats()).toMatchObject({ hits: 0, misses: 0, refused: { scope: 2 } })
  })

  it.each([
    ['throws', () => { throw new Error('no context') }],
    ['calls itself public', () => 'public'],
    ['gives something else', () => ({}) as string],
  ])('when the function that gives the scope %s', async (_, scope) => {
    const { engine } = openEngine({ scope })
    expect((await engine.serve(new Model().plain('hi'))).served).toBe('bypass')
  })

  it('whose request has no identity', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const answer = await engine.serve({ ...model.streamed('hi'), request: requestFor('hi', { tool: () => {} }) })
    model.last().give('one', 'stop used 2').end()
    expect(answer.served).toBe('bypass')
    await expect(partsOf(answer)).resolves.toEqual(['one', 'stop used 2'])
    expect(engine.figures.stats().refused).toEqual({ request: 1 })
  })

  it('that an invalidation has overtaken; it is served', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const answer = await engine.serve(model.streamed('hi', { options: { tags: ['doc:1'] } }))
    await engine.cache.invalidate({ tags: ['t:doc:1'] })
    model.last().give('old', 'stop used 1').end()
    await expect(partsOf(answer)).resolves.toEqual(['old', 'stop used 1'])
    await engine.settled()
    expect((await engine.serve(model.plain('hi'))).served).toBe('miss')
  })

  it('larger than may be held, and readers are waited for', async () => {
    const { engine } = openEngine({ policy: { maxBytes: 10 } })
    const model = new Model()
    const answer = (await engine.serve(model.streamed('hi'))).parts()
    const parts = Array.from({ length: 50 }, (_, i) => `part ${i}`)
    model.last().give(...parts, 'stop used 1').end()
    const got: string[] = []
    for await (const part of answer) got.push(part)
    expect(got).toEqual([...parts, 'stop used 1'])
    await engine.settled()
    expect(engine.figures.stats().refused).toEqual({ 'too-large': 1 })
  })
})

describe('what a call says', () => {
  it.each([
    // What the second and the third of three calls are served by, when the second says so.
    [{}, 'hit', 'hit'],
    [{ refresh: true }, 'miss', 'hit'],
    [{ noStore: true }, 'hit', 'hit'],
    [{ maxAge: 0 }, 'miss', 'hit'],
    [{ scope: 'b' }, 'miss', 'hit'],
  ])('%o', async (options, second, third) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { engine } = openEngine({ scope: 'a' })
    const model = new Model()
    await ask(engine, model, 'hello|stop used 1')
    vi.setSystemTime(Date.now() + 10)
    await expect(ask(engine, model, 'hello again|stop used 1', { options })).resolves.toBe(second)
    await expect(ask(engine, model, 'hello|stop used 1')).resolves.toBe(third)
    vi.useRealTimers()
  })

  it.each([{ noStore: true }, { ttl: 0 }, { noStore: true, refresh: true }])('%o keeps the answer out', async (options) => {
    const { engine } = openEngine()
    const model = new Model()
    await ask(engine, model, 'hello|stop used 1', { options })
    await expect(ask(engine, model, 'hello|stop used 1')).resolves.toBe('miss')
    expect(engine.figures.stats()).toMatchObject({ misses: 2, refused: { 'no-store': 1 } })
  })

  it('is refused at the door when it cannot be', async () => {
    const { engine } = openEngine()
    const model = new Model()
    for (const options of [{ ttl: -1 }, { ttl: 'soon' }, { noStore: 1 }, { scope: '' }, { tags: 'x' }, { cache: true }, null]) {
      await expect(engine.serve(model.plain('hi', 'x', { options: options as never })), JSON.stringify(options)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
    }
    expect(model.asked).toBe(0)
  })
})

describe('what is stored', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('is given no longer than it may become old, whatever its TTL', async () => {
    const { engine } = openEngine({ ttl: '10d', maxAge: '1d' })
    const model = new Model()
    await ask(engine, model, 'hello|stop used 1', { options: { ttl: '30d' } })
    await expect(ask(engine, model, 'hello|stop used 1')).resolves.toBe('hit')
    const key = (await engine.serve(model.plain('hi'))).key ?? ''
    await expect(engine.cache.ttl(key)).resolves.toBeLessThanOrEqual(86_400_000)
    vi.setSystemTime(Date.now() + 86_400_001)
    await expect(ask(engine, model, 'hello|stop used 1')).resolves.toBe('miss')
  })

  it('counts as new when the clock of whoever stored it was ahead', async () => {
    const { engine } = openEngine({ maxAge: '1d' })
    const model = new Model()
    await ask(engine, model, 'hello|stop used 1')
    vi.setSystemTime(Date.now() - 60_000)
    const hit = await engine.serve(model.plain('hi'))
    expect([hit.served, hit.ageMs]).toEqual(['hit', 0])
  })

  it.each([
    ['nothing of the kind', 'hello'],
    ['of another version', { version: 0 }],
    ['of another wire', { wire: 'openai.chat' }],
    ['without parts', { items: 'hello' }],
    ['of no known form', { form: 'html' }],
    ['with usage that is none', { usage: { inputTokens: 'many' } }],
    ['with usage that cannot be added up', { usage: { inputTokens: Number.NaN, outputTokens: 1 } }],
    ['with usage of which a part is none', { usage: { inputTokens: 1, cachedInputTokens: 'all', outputTokens: 1 } }],
    ['that dates from nowhere', { createdAt: '2026' }],
  ])('is a miss when it is %s, and is replaced', async (_, poison) => {
    const { engine } = openEngine()
    const model = new Model()
    const key = engine.keys.of(requestFor('hi'), { path: ['public'] })
    await ask(engine, model, 'hello|stop used 1')
    const good = await engine.cache.get<object>(key)
    await engine.cache.set(key, typeof poison === 'string' ? poison : { ...good, ...poison })
    await expect(ask(engine, model, 'hello|stop used 1')).resolves.toBe('miss')
    await expect(ask(engine, model, 'hello|stop used 1')).resolves.toBe('hit')
  })

  it('sets no prototype, whatever it says', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const key = engine.keys.of(requestFor('hi'), { path: ['public'] })
    await engine.cache.set(key, JSON.parse('{"__proto__":{"version":1,"wire":"words","form":"whole","items":["pwned"],"finish":[],"usage":null,"model":null,"createdAt":0}}'))
    await expect(ask(engine, model, 'hello|stop used 1')).resolves.toBe('miss')
  })

  it('holds nothing of the question, and its key neither', async () => {
    const cache = createCache({ redis: false })
    const { engine } = openEngine({ cache })
    const seen: unknown[] = []
    cache.on('set', (event) => seen.push(event))
    for (const name of ['miss', 'store', 'hit', 'join', 'refuse'] as const) engine.figures.on(name, (event) => seen.push(event))
    const request = requestFor('my secret question')
    for (const _ of [1, 2]) {
      await (await engine.serve({ request, wire: words, call: async () => ({ whole: 'hello|stop used 1' }) })).whole()
      await engine.settled()
    }
    expect(seen).toHaveLength(4)
    expect(JSON.stringify([seen, await engine.cache.get(engine.keys.of(request, { path: ['public'] }))])).not.toContain('secret')
  })
})
