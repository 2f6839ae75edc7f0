import { describe, expect, it } from 'vitest'
import { Model, openEngine, partsOf } from './words.js'

describe('a call to a model', () => {
  it('is made once, and answered from the cache from then on', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const first = await engine.serve(model.plain('hi'))
    await expect(first.whole()).resolves.toBe('hello|stop used 7')
    await engine.settled()
    const second = await engine.serve(model.plain('hi'))
    await expect(second.whole()).resolves.toBe('hello|stop used 0')
    expect([first.served, second.served, model.asked]).toEqual(['miss', 'hit', 1])
    expect(second.saving).toEqual({ inputTokens: 7, outputTokens: 1, cost: undefined })
  })

  it('answers in parts as they come, and whoever joins late gets them from the start', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const first = (await engine.serve(model.streamed('hi'))).parts()
    model.last().give('one', 'two')
    await expect(first.next()).resolves.toEqual({ done: false, value: 'one' })
    const joined = await engine.serve(model.streamed('hi'))
    model.last().give('stop used 3').end()
    await expect(partsOf(joined)).resolves.toEqual(['one', 'two', 'stop used 0'])
    await expect(partsOf({ parts: () => first })).resolves.toEqual(['two', 'stop used 3'])
    expect([joined.served, model.asked]).toEqual(['joined', 1])
    await engine.settled()
    const hit = await engine.serve(model.streamed('hi'))
    await expect(partsOf(hit)).resolves.toEqual(['one', 'two', 'stop used 0'])
    expect(hit.served).toBe('hit')
  })

  it('stored in parts serves who wants the whole, and the reverse', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const streamed = await engine.serve(model.streamed('hi'))
    model.last().give('one', 'stop used 1').end()
    await partsOf(streamed)
    await engine.serve(model.plain('ho'))
    await engine.settled()
    await expect((await engine.serve(model.plain('hi'))).whole()).resolves.toBe('one|stop used 0')
    await expect(partsOf(await engine.serve(model.streamed('ho')))).resolves.toEqual(['hello', 'stop used 0'])
    expect(model.asked).toBe(2)
  })
})
