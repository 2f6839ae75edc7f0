import { describe, expect, test } from 'vitest'
import type { BatchContext, Cache } from '../../src/index.js'
import { memoryCache } from './opened-cache.js'
import { down, lateTagged, settled, slowLoad, suspended } from './slow-load.js'

function slowBatch(cache: Cache, keys: readonly string[]) {
  const begun = suspended<BatchContext>()
  const load = suspended<[string, string][]>()
  const asked: string[][] = []
  const answer = cache.getOrSetMany<string>(keys, (missing, ctx) => {
    asked.push(missing)
    begun.resolve(ctx)
    return load.promise
  })
  const finish = (pairs: [string, string][]) => {
    load.resolve(pairs)
    return answer
  }
  return { answer, begun: begun.promise, asked, finish }
}

test('a key invalidated while a batch loads is not kept, and the others are', async () => {
  const cache = memoryCache()
  const batch = slowBatch(cache, ['a', 'b', 'c'])
  await batch.begun
  await cache.delete('b')
  expect(await batch.finish([['a', 'A'], ['b', 'old'], ['c', 'C']])).toEqual(new Map([['a', 'A'], ['b', 'old'], ['c', 'C']]))
  expect(['a', 'b', 'c'].map((key) => cache.peek(key))).toEqual(['A', undefined, 'C'])
})

test('a tag that a batch gave one of its keys, invalidated meanwhile, keeps out that key and no other', async () => {
  const cache = memoryCache()
  const batch = slowBatch(cache, ['a', 'b'])
  const ctx = await batch.begun
  await cache.invalidate({ tag: 't' })
  ctx.for('b').tags('t')
  await batch.finish([['a', 'A'], ['b', 'old']])
  expect(['a', 'b'].map((key) => cache.peek(key))).toEqual(['A', undefined])
})

test('a call for a key that a batch was loading when it was invalidated loads anew', async () => {
  const cache = memoryCache()
  const batch = slowBatch(cache, ['a', 'b'])
  await batch.begun
  const joined = [cache.getOrSet('a', () => 'not loaded'), cache.getOrSet('b', () => 'not loaded')]
  await cache.delete('b')
  const after = cache.getOrSet('b', () => 'new')
  await batch.finish([['a', 'A'], ['b', 'old']])
  expect([...(await Promise.all(joined)), await after]).toEqual(['A', 'old', 'new'])
  expect(cache.peek('b')).toBe('new')
})

test('a batch loads what nobody else is loading, and waits for the rest', async () => {
  const cache = memoryCache()
  const single = slowLoad(cache, 'a')
  await single.begun
  const batch = slowBatch(cache, ['a', 'b'])
  await batch.begun
  expect(batch.asked).toEqual([['b']])
  await single.finish('A')
  expect(await batch.finish([['b', 'B']])).toEqual(new Map([['a', 'A'], ['b', 'B']]))
})

test('a batch begun after an invalidation does not wait for the load from before', async () => {
  const cache = memoryCache()
  const single = slowLoad(cache, 'a')
  await single.begun
  await cache.delete('a')
  const batch = slowBatch(cache, ['a', 'b'])
  await batch.begun
  expect(batch.asked).toEqual([['a', 'b']])
  await batch.finish([['a', 'new'], ['b', 'B']])
  await single.finish('old')
  expect(cache.peek('a')).toBe('new')
})

test('a batch that fails fails for all who waited for one of its keys, and keeps nothing', async () => {
  const cache = memoryCache()
  const load = suspended<[string, string][]>()
  const batch = cache.getOrSetMany<string>(['a', 'b'], () => load.promise)
  await settled()
  const joined = cache.getOrSet('b', () => 'not loaded')
  load.reject(down)
  await expect(batch).rejects.toBe(down)
  await expect(joined).rejects.toBe(down)
  expect(await cache.getMany(['a', 'b'])).toEqual(new Map())
})

describe('a batch with a key that has to be loaded anew', () => {
  test('answers for it', async () => {
    const cache = memoryCache()
    const finish = await lateTagged(cache, 'a')
    const batch = cache.getOrSetMany(['a', 'b'], (missing) => missing.map((key) => [key, `new ${key}`] as const))
    await settled()
    await finish()
    expect(await batch).toEqual(new Map([['a', 'new a'], ['b', 'new b']]))
  })

  test('does not tell other callers that there is no value', async () => {
    const cache = memoryCache()
    const finish = await lateTagged(cache, 'a')
    const loads = suspended<[string, string][]>()
    const batch = cache.getOrSetMany(['a', 'b'], (missing) => (missing.includes('a') ? [['a', 'new']] as const : loads.promise))
    await settled()
    await finish()
    await settled()
    const joined = cache.getOrSet('a', () => 'new')
    await settled()
    loads.resolve([['b', 'B']])
    await batch
    expect(await joined).toBe('new')
  })

  test('keeps nothing that was read before an invalidation', async () => {
    const cache = memoryCache()
    const finish = await lateTagged(cache, 'a')
    const loads = suspended<[string, string][]>()
    let calls = 0
    const batch = cache.getOrSetMany(['a', 'b'], () => (calls++ === 0 ? loads.promise : [['a', 'new']] as const))
    await settled()
    await cache.delete('a')
    await finish()
    await settled()
    loads.resolve([['a', 'old'], ['b', 'B']])
    await batch
    expect(cache.peek('a')).not.toBe('old')
  })
})
