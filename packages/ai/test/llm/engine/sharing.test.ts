import { describe, expect, it } from 'vitest'
import { Model, openEngine, partsOf } from './words.js'

describe('identical calls at one time', () => {
  it('are one call of the model', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const calls = Array.from({ length: 100 }, () => engine.serve(model.streamed('hi')).then(partsOf))
    await expect.poll(() => model.asked).toBe(1)
    model.last().give('hello', 'stop used 5').end()
    const answers = await Promise.all(calls)
    expect(answers.filter(([, end]) => end === 'stop used 5')).toHaveLength(1)
    expect(answers.filter(([, end]) => end === 'stop used 0')).toHaveLength(99)
    expect(model.asked).toBe(1)
    expect(engine.figures.stats()).toMatchObject({ hits: 0, misses: 1, joins: 99, saved: { inputTokens: 495, outputTokens: 99 } })
  })

  it('are not shared over scopes', async () => {
    const { engine } = openEngine({ scope: () => undefined })
    const model = new Model()
    const [a, b] = await Promise.all([engine.serve(model.streamed('hi', { options: { scope: 'a' } })), engine.serve(model.streamed('hi', { options: { scope: 'b' } }))])
    expect([a.served, b.served, model.asked]).toEqual(['miss', 'miss', 2])
    expect(a.key).not.toBe(b.key)
    a.cancel()
    b.cancel()
  })

  it('go on for the others when one of them leaves, and the answer is stored', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const leader = (await engine.serve(model.streamed('hi'))).parts()
    const follower = await engine.serve(model.streamed('hi'))
    model.last().give('one')
    await leader.next()
    await leader.return?.()
    expect(model.last().signal.aborted).toBe(false)
    model.last().give('stop used 1').end()
    await expect(partsOf(follower)).resolves.toEqual(['one', 'stop used 0'])
    await engine.settled()
    expect((await engine.serve(model.streamed('hi'))).served).toBe('hit')
  })

  it('tell the model to stop once all of them have gone, also while it says nothing', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const leaving = new AbortController()
    const leader = (await engine.serve(model.streamed('hi', { signal: leaving.signal }))).parts()
    const follower = (await engine.serve(model.streamed('hi'))).parts()
    const waiting = leader.next()
    const alsoWaiting = follower.next()
    leaving.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(model.last().signal.aborted).toBe(false)
    await follower.return?.()
    await expect(alsoWaiting).resolves.toEqual({ done: true, value: undefined })
    expect(model.last().signal.aborted).toBe(true)
  })

  it('are made anew after one that was broken off', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const first = await engine.serve(model.streamed('hi'))
    first.cancel()
    // In the same breath: what the first led to is still under way.
    const [second, third] = await Promise.all([engine.serve(model.streamed('hi')), engine.serve(model.streamed('hi'))])
    const parts = [second.parts(), third.parts()]
    model.last().give('one')
    expect(await Promise.all(parts.map((each) => each.next()))).toEqual([{ done: false, value: 'one' }, { done: false, value: 'one' }])
    expect([second.served, third.served, model.asked]).toEqual(['miss', 'joined', 2])
    for (const each of parts) await each.return?.()
  })

  it('stop waiting for a model that has not begun to answer when they are told to', async () => {
    const { engine } = openEngine()
    const model = new Model()
    let signalOfModel: AbortSignal | undefined
    const call = { ...model.streamed('hi'), call: (signal: AbortSignal) => new Promise<never>(() => (signalOfModel = signal)) }
    const leaving = new AbortController()
    const served = engine.serve({ ...call, signal: leaving.signal })
    await expect.poll(() => signalOfModel).toBeDefined()
    leaving.abort(new Error('enough'))
    await expect(served).rejects.toThrow('enough')
    expect(signalOfModel?.aborted).toBe(true)
    await engine.settled()
  })

  it('are over once all have gone, though the model may not care', async () => {
    const { engine } = openEngine()
    const model = new Model()
    let isClosed = false
    const deaf: AsyncIterableIterator<string> = {
      next: () => new Promise(() => {}),
      return: async () => {
        isClosed = true
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
    const answer = await engine.serve({ ...model.streamed('hi'), call: async () => ({ parts: deaf }) })
    answer.cancel()
    await engine.settled()
    await expect.poll(() => isClosed).toBe(true)
    expect((await engine.serve(model.plain('hi'))).served).toBe('miss')
  })

  it('all fail with the one they waited for, after what had come, and the next is made anew', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const answers = [(await engine.serve(model.streamed('hi'))).parts(), (await engine.serve(model.streamed('hi'))).parts()]
    model.last().give('one').fail(new Error('overloaded'))
    for (const parts of answers) {
      await expect(parts.next()).resolves.toEqual({ done: false, value: 'one' })
      await expect(parts.next()).rejects.toThrow('overloaded')
    }
    await engine.settled()
    expect((await engine.serve(model.plain('hi'))).served).toBe('miss')
  })

  it('fail together when the model does not answer at all', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const call = { ...model.plain('hi'), call: () => Promise.reject(new Error('no such model')) }
    const outcomes = await Promise.allSettled([engine.serve(call), engine.serve(call)])
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as Error).message)).toEqual(['no such model', 'no such model'])
    expect(engine.figures.stats().misses).toBe(1)
  })

  it('are not joined by one that wants it anew, nor by one that wants it for itself', async () => {
    const { engine } = openEngine()
    const model = new Model()
    const first = await engine.serve(model.streamed('hi', { options: { noStore: true } }))
    const apart = await engine.serve(model.streamed('hi', { options: { noStore: true } }))
    const shared = await engine.serve(model.streamed('hi'))
    const anew = await engine.serve(model.streamed('hi', { options: { refresh: true } }))
    expect([first.served, apart.served, shared.served, anew.served, model.asked]).toEqual(['miss', 'miss', 'miss', 'miss', 4])
    for (const answer of [first, apart, shared, anew]) answer.cancel()
  })

  it('are not joined once their answer may be too old', async () => {
    const { engine, cache } = openEngine()
    const model = new Model()
    const before = await engine.serve(model.streamed('hi'))
    await cache.namespace('llm').invalidate({ all: true })
    const after = await engine.serve(model.streamed('hi'))
    expect([before.served, after.served, model.asked]).toEqual(['miss', 'miss', 2])
    model.calls[0]?.give('old', 'stop used 1').end()
    model.calls[1]?.give('new', 'stop used 1').end()
    await expect(partsOf(before)).resolves.toEqual(['old', 'stop used 1'])
    await expect(partsOf(after)).resolves.toEqual(['new', 'stop used 1'])
    await engine.settled()
    await expect(partsOf(await engine.serve(model.streamed('hi')))).resolves.toEqual(['new', 'stop used 0'])
  })

  it('are answered once over two LLM caches on one cache, and go on when the first of them leaves', async () => {
    const { engine, cache } = openEngine()
    const other = openEngine({ cache }).engine
    const model = new Model()
    const first = await engine.serve(model.streamed('hi'))
    const second = other.serve(model.streamed('hi'))
    await expect.poll(() => cache.stats().coalesced).toBe(1)
    first.cancel()
    expect(model.last().signal.aborted).toBe(false)
    model.last().give('one', 'stop used 1').end()
    await expect(partsOf(await second)).resolves.toEqual(['one', 'stop used 0'])
    expect(model.asked).toBe(1)
  })
})
