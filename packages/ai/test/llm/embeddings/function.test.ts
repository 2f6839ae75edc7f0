import { createLLMCache, type LLMCacheOptions } from '@tiercel/ai'
import { createCache, InvalidArgumentError, InvalidOptionError, type Cache } from '@tiercel/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { vectorOf } from '../upstream/index.js'

let cache: Cache
beforeEach(() => {
  cache = createCache({ redis: false })
})
afterEach(() => cache.close())

/** A model that notes what it is asked for. */
function model(options: Partial<LLMCacheOptions> = {}) {
  const asked: string[][] = []
  const llm = createLLMCache({ cache, scope: 'tenant', ...options })
  const vectors = async (values: string[]) => {
    asked.push(values)
    return values.map((value) => [...vectorOf(value)])
  }
  return { asked, llm, vectors, embed: llm.embeddings(vectors, { model: 'small' }) }
}

const given = (...values: string[]) => values.map((value) => [...vectorOf(value)])

describe('a batch', () => {
  test('asks for what no batch before it has asked for, and keeps the order', async () => {
    const { asked, embed } = model()
    expect(await embed(['a', 'b'])).toEqual(given('a', 'b'))
    expect(await embed(['c', 'b', 'd', 'a'])).toEqual(given('c', 'b', 'd', 'a'))
    expect(asked).toEqual([['a', 'b'], ['c', 'd']])
  })

  test('asks once for what is in it twice', async () => {
    const { asked, embed } = model()
    expect(await embed(['a', 'b', 'a', 'a'])).toEqual(given('a', 'b', 'a', 'a'))
    expect(asked).toEqual([['a', 'b']])
  })

  test('asks for nothing when it is empty', async () => {
    const { asked, embed } = model()
    expect(await embed([])).toEqual([])
    expect(asked).toEqual([])
  })

  test('waits for what another one is asking for', async () => {
    const { asked, llm, vectors } = model()
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    const embed = llm.embeddings(async (values) => (await released, vectors(values)), { model: 'small' })
    const batches = [embed(['a', 'b']), embed(['b', 'c'])]
    release()
    expect(await Promise.all(batches)).toEqual([given('a', 'b'), given('b', 'c')])
    expect(asked).toEqual([['a', 'b'], ['c']])
  })

  test('that fails stores nothing, and fails for who asked', async () => {
    const { asked, llm, vectors } = model()
    let isDown = true
    const embed = llm.embeddings((values) => (isDown ? Promise.reject(new Error('down')) : vectors(values)), { model: 'small' })
    await expect(embed(['a'])).rejects.toThrow('down')
    isDown = false
    expect(await embed(['a'])).toEqual(given('a'))
    expect(asked).toEqual([['a']])
  })

  test('is given as many vectors as it has values, or nobody is given one', async () => {
    const { llm } = model()
    const embed = llm.embeddings(async () => [[1, 2]], { model: 'small' })
    await expect(embed(['a', 'b'])).rejects.toThrow(InvalidArgumentError)
  })
})

describe('a vector', () => {
  test('is the same when it is new and when it is not, in 32 bits a number', async () => {
    const { llm } = model()
    const embed = llm.embeddings(async () => [[0.1, 1 / 3]], { model: 'small' })
    const first = await embed(['a'])
    expect(first).toEqual([[Math.fround(0.1), Math.fround(1 / 3)]])
    expect(await embed(['a'])).toEqual(first)
  })

  test('is its reader’s own', async () => {
    const { embed } = model()
    for (let time = 0; time < 3; time++) {
      const [vector] = await embed(['a'])
      expect(vector).toEqual([...vectorOf('a')])
      vector?.fill(0)
    }
  })

  test('that has no numbers in it is served and not stored', async () => {
    const { llm } = model()
    let asked = 0
    const embed = llm.embeddings(async () => [[++asked, Number.NaN]], { model: 'small' })
    expect([await embed(['a']), await embed(['a'])]).toEqual([[[1, Number.NaN]], [[2, Number.NaN]]])
    expect(llm.stats().refused).toEqual({ form: 2 })
  })

  test('is another one for another model, variant or scope', async () => {
    const { asked, llm, vectors } = model()
    await llm.embeddings(vectors, { model: 'small' })(['a'])
    await llm.embeddings(vectors, { model: 'large' })(['a'])
    await llm.embeddings(vectors, { model: 'small', variant: { dimensions: 3 } })(['a'])
    await llm.embeddings(vectors, { model: 'small' })(['a'], { scope: 'another' })
    expect(asked).toHaveLength(4)
  })
})

describe('one call can', () => {
  test('ask anew, store nothing, and be forgotten by its tag', async () => {
    const { asked, llm, embed } = model()
    await embed(['a'], { noStore: true })
    await embed(['a'], { tags: ['doc'] })
    await embed(['a'])
    expect(asked).toHaveLength(2)
    await embed(['a'], { refresh: true, tags: ['doc'] })
    expect(asked).toHaveLength(3)
    await llm.invalidate({ tags: ['doc'] })
    await embed(['a'])
    expect(asked).toHaveLength(4)
  })

  test('want none that is older than so much', async () => {
    const { asked, embed } = model()
    await embed(['a', 'b'])
    const made = Date.now()
    await expect.poll(() => Date.now()).toBeGreaterThan(made + 1)
    await embed(['a', 'b'], { maxAge: 1 })
    expect(asked).toEqual([['a', 'b'], ['a', 'b']])
    await embed(['a', 'b'], { maxAge: '1h' })
    expect(asked).toHaveLength(2)
  })

  test('be given up, and the model hears of it', async () => {
    const { llm } = model()
    const leaving = new AbortController()
    let heard: AbortSignal | undefined
    const embed = llm.embeddings((_, signal) => ((heard = signal), new Promise(() => {})), { model: 'small' })
    const call = embed(['a'], { signal: leaving.signal })
    await expect.poll(() => heard).toBeDefined()
    leaving.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await expect.poll(() => heard?.aborted).toBe(true)
  })
})

test('nothing is cached for a call of which nobody can say whose it is', async () => {
  const { asked, llm, embed } = model({ scope: () => undefined })
  await embed(['a'])
  await embed(['a'])
  expect(asked).toHaveLength(2)
  expect(llm.stats().refused).toEqual({ scope: 2 })
})

test('a cache that is closed is no reason to fail', async () => {
  const { embed } = model()
  await cache.close()
  expect(await embed(['a'])).toEqual(given('a'))
})

test('what is poisoned is asked for anew', async () => {
  const { asked, llm, embed } = model()
  const keys: string[] = []
  llm.on('miss', ({ key }) => keys.push(key ?? ''))
  await embed(['a'])
  await cache.namespace('llm').set(keys[0] ?? '', { version: 1, vector: 'none', tokens: 0, createdAt: 0 })
  expect(await embed(['a'])).toEqual(given('a'))
  expect(asked).toHaveLength(2)
})

test('what cannot be used is refused at the door', async () => {
  const { llm, vectors, embed } = model()
  expect(() => llm.embeddings(vectors, {} as { model: string })).toThrow(InvalidOptionError)
  expect(() => llm.embeddings(vectors, { model: 'small', modle: 'x' } as { model: string })).toThrow("no option 'modle'")
  expect(() => llm.embeddings('text' as never, { model: 'small' })).toThrow(InvalidArgumentError)
  await expect(embed('text' as never)).rejects.toThrow('a list of texts')
  await expect(embed(['a'], { tll: 1 } as object)).rejects.toThrow(InvalidOptionError)
})
