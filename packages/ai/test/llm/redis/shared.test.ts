import { createCache, type Cache, type CacheOptions } from '@tiercel/core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../../core/test/redis/server/index.js'
import { Model, openEngine, partsOf, requestFor, type Opened } from '../engine/words.js'
import { createLLMCache, type LLMCacheOptions } from '../../../src/index.js'

// Who is held up for as long as a lease lasts counts as dead, and another one asks in its place.
vi.mock('../../../../core/src/redis/lease-time.js', () => ({ LEASE_MS: 600_000 }))

let redis: RedisServer
const caches: Cache[] = []

beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())
beforeEach(() => redis.cli('FLUSHALL'))
afterEach(async () => {
  redis.resume()
  await Promise.all(caches.splice(0).map((cache) => cache.close()))
})

/** An engine that is connected, as if in a process of its own. */
async function open(options: Partial<LLMCacheOptions> = {}, cacheOptions: CacheOptions = {}): Promise<Opened> {
  const cache = createCache({ redis: redis.url, deadline: '30s', ...cacheOptions })
  caches.push(cache)
  await cache.ready()
  return openEngine({ ...options, cache })
}

async function ask({ engine }: Opened, model: Model, question = 'hi'): Promise<string> {
  const answer = await engine.serve(model.plain(question))
  await answer.whole()
  await engine.settled()
  return answer.served
}

async function readsOfRedis(): Promise<number> {
  return Number(/cmdstat_mget:calls=(\d+)/.exec(String(await redis.cli('INFO', 'commandstats')))?.[1] ?? 0)
}

describeWithRedis('an answer in Redis', () => {
  it('serves another process, as a stream and as a whole', async () => {
    const [here, there] = [await open(), await open()]
    const model = new Model()
    const first = await here.engine.serve(model.streamed('hi'))
    model.last().give('one', 'two', 'stop used 4').end()
    await partsOf(first)
    await here.engine.settled()
    const streamed = await there.engine.serve(model.streamed('hi'))
    await expect(partsOf(streamed)).resolves.toEqual(['one', 'two', 'stop used 0'])
    await expect((await there.engine.serve(model.plain('hi'))).whole()).resolves.toBe('one|two|stop used 0')
    expect([streamed.served, model.asked]).toEqual(['hit', 1])
  })

  it('is found by one read, and one that is not there costs one read and is one miss of the cache', async () => {
    const [here, there] = [await open(), await open()]
    const model = new Model()
    await ask(here, model)
    await redis.cli('CONFIG', 'RESETSTAT')
    await expect(ask(there, model)).resolves.toBe('hit')
    await expect(readsOfRedis()).resolves.toBe(1)
    await expect(ask(there, model, 'ho')).resolves.toBe('miss')
    await expect(readsOfRedis()).resolves.toBe(2)
    expect(there.engine.cache.stats()).toMatchObject({ misses: 1 })
  })

  it('is stored before the cache that asked for it is closed', async () => {
    let asked = 0
    const answer = async (question: string) => {
      asked++
      return `to ${question}`
    }
    for (let run = 0; run < 2; run++) {
      await using llm = createLLMCache({ redis: redis.url, deadline: '30s', scope: 'public' })
      expect(await llm.wrap(answer, { key: (question) => question })('hi')).toBe('to hi')
    }
    expect(asked).toBe(1)
  })

  it('is waited for by another process while it comes', async () => {
    const [here, there] = [await open(), await open()]
    const model = new Model()
    const first = await here.engine.serve(model.streamed('hi'))
    const second = there.engine.serve(model.streamed('hi'))
    await expect.poll(async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await redis.cli('INFO', 'commandstats')))?.[1])).toBeGreaterThan(2)
    model.last().give('one', 'stop used 4').end()
    await partsOf(first)
    await expect(partsOf(await second)).resolves.toEqual(['one', 'stop used 0'])
    expect(model.asked).toBe(1)
  })

  it('is asked for anew by who wants it younger, though somebody else waits for the same', async () => {
    const [here, there] = [await open(), await open()]
    const model = new Model()
    await ask(here, model)
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 10_000)
    const answers = await Promise.all([there.engine.serve(model.plain('hi')), there.engine.serve(model.plain('hi', 'hello|stop used 7', { options: { maxAge: '5s' } }))])
    vi.useRealTimers()
    expect([...answers.map(({ served }) => served), model.asked]).toEqual(['hit', 'miss', 2])
    await Promise.all(answers.map((answer) => answer.whole()))
  })

  it('is not stored when another process has invalidated it meanwhile', async () => {
    const [here, there] = [await open(), await open()]
    const model = new Model()
    const first = await here.engine.serve(model.streamed('hi', { options: { tags: ['doc:1'] } }))
    await there.cache.namespace('llm').invalidate({ tags: ['t:doc:1'] })
    model.last().give('old', 'stop used 1').end()
    await expect(partsOf(first)).resolves.toEqual(['old', 'stop used 1'])
    await here.engine.settled()
    await expect(ask(there, model)).resolves.toBe('miss')
  })

  it('is a miss when it is damaged, or poisoned, and is replaced', async () => {
    const model = new Model()
    const here = await open()
    await ask(here, model)
    const key = here.engine.keys.of(requestFor('hi'), { path: ['public'] })
    const name = `tiercel:llm:1:{${key}}:v`
    await expect(redis.cli('EXISTS', name)).resolves.toBe(1)
    await redis.cli('SETRANGE', name, 40, 'damaged')
    await expect(ask(await open(), model)).resolves.toBe('miss')
    // Well-formed, and no answer.
    const other = await open()
    await other.engine.cache.set(key, { version: 1, wire: 'words', items: { length: 3 } })
    await expect(ask(await open(), model)).resolves.toBe('miss')
    await expect(ask(await open(), model)).resolves.toBe('hit')
  })

  it('is encrypted at rest, and bound to its key', async () => {
    const [newer, older] = ['b'.repeat(64), 'a'.repeat(64)]
    const model = new Model()
    const here = await open({}, { encryption: { keys: [older] } })
    const name = (question: string) => `tiercel:llm:1:{${here.engine.keys.of(requestFor(question), { path: ['public'] })}}:v`
    await ask(here, model)
    expect(await redis.cli('GET', name('hi'))).not.toContain('hello')
    // The answer to one question, put in the place of that to another.
    await redis.cli('COPY', name('hi'), name('ho'))
    await expect(ask(await open({}, { encryption: { keys: [older] } }), model, 'ho')).resolves.toBe('miss')
    await expect(ask(await open({}, { encryption: { keys: [newer, older] } }), model)).resolves.toBe('hit')
    await expect(ask(await open({}, { encryption: { keys: [newer] } }), model)).resolves.toBe('miss')
  })

  it('costs no call anything when Redis does not answer', async () => {
    const model = new Model()
    const here = await open({}, { deadline: '50ms', maxStaleness: '5m' })
    await expect.poll(() => here.cache.health().healthy, { timeout: 30_000 }).toBe(true)
    redis.pause()
    // Were there no deadline, nothing would ever come.
    await expect(ask(here, model)).resolves.toBe('miss')
    const [first, second] = [await here.engine.serve(model.streamed('ho')), await here.engine.serve(model.streamed('ho'))]
    model.last().give('one', 'stop used 1').end()
    await expect(Promise.all([partsOf(first), partsOf(second)])).resolves.toEqual([['one', 'stop used 1'], ['one', 'stop used 0']])
    expect([first.served, second.served]).toEqual(['miss', 'joined'])
    await here.engine.settled()
    await expect(ask(here, model)).resolves.toBe('hit')
  })

  it('is looked for no longer than one deadline, however often it could be', async () => {
    const here = await open({}, { deadline: '6s' })
    redis.pause()
    const oneAndMost = new Promise((resolve) => setTimeout(resolve, 11_500, 'late'))
    await expect(Promise.race([ask(here, new Model()), oneAndMost])).resolves.toBe('miss')
  })

  it('is not waited for by one who gives up while Redis is asked', async () => {
    const here = await open()
    redis.pause()
    const caller = new AbortController()
    const model = new Model()
    const served = here.engine.serve({ ...model.plain('hi'), signal: caller.signal })
    caller.abort(new Error('enough'))
    await expect(served).rejects.toThrow('enough')
    expect(model.asked).toBe(0)
  })

  it('is not missed when there was no Redis from the start, nor when the cache was closed', async () => {
    const model = new Model()
    const cache = createCache({ redis: 'redis://127.0.0.1:1', deadline: '50ms', maxStaleness: '5m' })
    caches.push(cache)
    const here = openEngine({ cache })
    // All before it is known whether there is one; and all are given the answer as it comes.
    const answers = await Promise.all(Array.from({ length: 10 }, () => here.engine.serve(model.streamed('hi'))))
    expect(answers.map(({ served }) => served)).toEqual(['miss', ...Array.from({ length: 9 }, () => 'joined')])
    model.last().give('one', 'stop used 1').end()
    expect((await Promise.all(answers.map(partsOf))).filter(([, end]) => end === 'stop used 0')).toHaveLength(9)
    expect(model.asked).toBe(1)
    await cache.close()
    await expect(ask(here, model, 'ho')).resolves.toBe('miss')
  })
})
