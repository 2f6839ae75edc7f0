import { describe, expect, test } from 'vitest'
import { memoryCache } from './opened-cache.js'
import { settled, slowLoad, suspended } from './slow-load.js'
import { expiringWays, labelledWays, ways } from './ways-to-invalidate.js'

const KEY = 'user:1'

function namespaces() {
  const above = memoryCache().namespace('above')
  return { above, cache: above.namespace('below') }
}

describe.for([...ways, ...expiringWays.map((way) => ({ ...way, by: `${way.by}, expiring`, invalidate: way.expire as typeof way.invalidate }))])(
  'an invalidation by $by during a load',
  ({ labels, reachesAll, invalidate }) => {
    test('gives the value to whoever waited for it and keeps it from everybody else', async () => {
      const { cache, above } = namespaces()
      const load = slowLoad(cache, KEY, labels)
      await load.begun
      await invalidate(cache, above)
      expect(await load.finish('old')).toBe('old')
      expect(cache.peek(KEY)).toBeUndefined()
      expect(await cache.get(KEY)).toBeUndefined()
      expect(cache.stats().fenced).toBe(1)
    })

    test('lets a reader who begins afterwards load anew, whose value is kept', async () => {
      const { cache, above } = namespaces()
      const before = slowLoad(cache, KEY, labels)
      await before.begun
      await invalidate(cache, above)
      const after = slowLoad(cache, KEY, labels)
      await after.begun
      const alsoAfter = cache.getOrSet(KEY, () => 'a third load', labels)
      expect(await after.finish('new')).toBe('new')
      expect(await before.finish('old')).toBe('old')
      expect(await alsoAfter).toBe('new')
      expect(await cache.get(KEY)).toBe('new')
    })

    test('reaches a load that a batch began, and leaves the other keys of the batch alone', async () => {
      const { cache, above } = namespaces()
      const loads = suspended<[string, string][]>()
      const { tags, room } = labels ?? {}
      const batch = cache.getOrSetMany([KEY, 'other'], (_, ctx) => {
        ctx.for(KEY).tags(tags ?? [])
        if (room !== undefined) ctx.for(KEY).room(room)
        return loads.promise
      })
      await settled()
      await invalidate(cache, above)
      loads.resolve([
        [KEY, 'old'],
        ['other', 'untouched'],
      ])
      expect(await batch).toEqual(new Map([[KEY, 'old'], ['other', 'untouched']]))
      expect(cache.peek(KEY)).toBeUndefined()
      expect(cache.peek('other')).toBe(reachesAll === true ? undefined : 'untouched')
    })

    test('leaves those who had joined before with its value, which nobody else is given', async () => {
      const { cache, above } = namespaces()
      const load = slowLoad(cache, KEY, labels)
      await load.begun
      const joined = cache.getOrSet(KEY, () => 'not loaded', labels)
      await invalidate(cache, above)
      await load.finish('old')
      expect(await joined).toBe('old')
      expect(cache.peek(KEY)).toBeUndefined()
    })

    test('while an entry is renewed drops the entry and keeps the renewed value out', async () => {
      const { cache, above } = namespaces()
      await cache.set(KEY, 'old', labels)
      const renewal = slowLoad(cache, KEY, { ...labels, bypass: 'read' })
      await renewal.begun
      await invalidate(cache, above)
      expect(cache.peek(KEY)).toBeUndefined()
      await renewal.finish('also old')
      expect(cache.peek(KEY)).toBeUndefined()
    })
  },
)

describe.for(labelledWays)('an invalidation by a $by that only the loader names', ({ label, invalidate }) => {
  const name = label as NonNullable<typeof label>

  test('keeps the value of a load it came into out', async () => {
    const { cache, above } = namespaces()
    const load = slowLoad(cache, KEY)
    const ctx = await load.begun
    await invalidate(cache, above)
    name(ctx)
    expect(await load.finish('old')).toBe('old')
    expect(cache.peek(KEY)).toBeUndefined()
  })

  test('keeps it out too when the loader named it before', async () => {
    const { cache, above } = namespaces()
    const load = slowLoad(cache, KEY)
    name(await load.begun)
    await invalidate(cache, above)
    expect(await load.finish('old')).toBe('old')
    expect(cache.peek(KEY)).toBeUndefined()
  })

  test('before a second caller joins makes that one load anew', async () => {
    const { cache, above } = namespaces()
    const load = slowLoad(cache, KEY)
    const ctx = await load.begun
    await invalidate(cache, above)
    const second = cache.getOrSet(KEY, () => 'new')
    name(ctx)
    await load.finish('old')
    expect(await second).toBe('new')
    expect(cache.peek(KEY)).toBe('new')
  })

  test('after a second caller joined leaves both with the value that neither keeps', async () => {
    const { cache, above } = namespaces()
    const load = slowLoad(cache, KEY)
    const ctx = await load.begun
    const second = cache.getOrSet(KEY, () => 'new')
    await invalidate(cache, above)
    name(ctx)
    expect(await load.finish('old')).toBe('old')
    expect(await second).toBe('old')
    expect(cache.peek(KEY)).toBeUndefined()
  })

  test('drops the value when it comes after the load', async () => {
    const { cache, above } = namespaces()
    await cache.getOrSet<string>(KEY, (ctx) => {
      name(ctx)
      return 'old'
    })
    expect(cache.peek(KEY)).toBe('old')
    await invalidate(cache, above)
    expect(cache.peek(KEY)).toBeUndefined()
  })

  test('makes all who come in between share one load anew', async () => {
    const { cache, above } = namespaces()
    const load = slowLoad(cache, KEY)
    const ctx = await load.begun
    await invalidate(cache, above)
    let loads = 0
    const late = Array.from({ length: 20 }, () => cache.getOrSet(KEY, () => `new ${++loads}`))
    name(ctx)
    await load.finish('old')
    expect(new Set(await Promise.all(late))).toEqual(new Set(['new 1']))
  })
})

test('a tag invalidated so long ago that it is no longer remembered keeps a late value out rather than in', async () => {
  const cache = memoryCache()
  const load = slowLoad(cache, KEY)
  const ctx = await load.begun
  await cache.invalidate({ tag: 'users' })
  for (let i = 0; i < 5000; i++) await cache.invalidate({ tag: `other ${i}` })
  ctx.tags('users')
  await load.finish('old')
  expect(cache.peek(KEY)).toBeUndefined()
})

test('what is invalidated in one namespace leaves the loads of others alone', async () => {
  const { cache, above } = namespaces()
  const sibling = above.namespace('sibling')
  const loads = [above, sibling].map((other) => slowLoad(other, KEY, { tags: ['users'], room: 'lobby' }))
  await Promise.all(loads.map(({ begun }) => begun))
  await cache.invalidate({ key: KEY, tags: ['users'], room: 'lobby', pattern: '*', all: true })
  await Promise.all(loads.map(({ finish }) => finish('untouched')))
  expect([above.peek(KEY), sibling.peek(KEY)]).toEqual(['untouched', 'untouched'])
})

test('a set during a load stays, and the load is neither kept nor joined', async () => {
  const cache = memoryCache()
  const load = slowLoad(cache, KEY)
  await load.begun
  await cache.set(KEY, 'set')
  const after = cache.getOrSet(KEY, () => 'loaded', { bypass: 'read' })
  expect(await load.finish('old')).toBe('old')
  expect(await after).toBe('loaded')
  expect(cache.peek(KEY)).toBe('loaded')
})

test('a set of nothing during a load leaves the key empty', async () => {
  const cache = memoryCache()
  const load = slowLoad(cache, KEY)
  await load.begun
  expect(await cache.set(KEY, undefined)).toBe(false)
  await load.finish('old')
  expect(cache.peek(KEY)).toBeUndefined()
})

test('of two loads that bypass reading, the one that began last is kept, whichever ends last', async () => {
  const cache = memoryCache()
  const first = slowLoad(cache, KEY, { bypass: 'read' })
  await first.begun
  const second = slowLoad(cache, KEY, { bypass: 'read' })
  await second.begun
  expect(await second.finish('second')).toBe('second')
  expect(await first.finish('first')).toBe('first')
  expect(cache.peek(KEY)).toBe('second')
})

test('a load that stores nothing does not take the place of one that does', async () => {
  const cache = memoryCache()
  const storing = slowLoad(cache, KEY)
  await storing.begun
  const passing = slowLoad(cache, KEY, { bypass: 'both' })
  await passing.begun
  const joined = cache.getOrSet(KEY, () => 'a third load')
  await passing.finish('passing')
  await storing.finish('kept')
  expect(await joined).toBe('kept')
  expect(cache.peek(KEY)).toBe('kept')
})

test('a loader that invalidates its own key serves its value and keeps nothing', async () => {
  const cache = memoryCache()
  let loads = 0
  const load = async () => {
    const value = `load ${++loads}`
    await cache.delete(KEY)
    return value
  }
  expect(await cache.getOrSet(KEY, load)).toBe('load 1')
  expect(await cache.getOrSet(KEY, load)).toBe('load 2')
  expect(cache.peek(KEY)).toBeUndefined()
})

test('a loader that invalidates another key keeps its own value, and the load of the other key is not kept', async () => {
  const cache = memoryCache()
  const other = slowLoad(cache, 'other')
  await other.begun
  await cache.getOrSet(KEY, async () => {
    await cache.delete('other')
    return 'kept'
  })
  await other.finish('old')
  expect([cache.peek(KEY), cache.peek('other')]).toEqual(['kept', undefined])
})

test('a loader that asks for other keys gets them, and each is kept under its own', async () => {
  const cache = memoryCache()
  const sum = await cache.getOrSet('sum', async () => {
    const parts = await Promise.all(['a', 'b'].map((key) => cache.getOrSet(key, () => `value of ${key}`)))
    return parts.join(' and ')
  })
  expect(sum).toBe('value of a and value of b')
  expect(['sum', 'a', 'b'].map((key) => cache.peek(key))).toEqual([sum, 'value of a', 'value of b'])
})

test('a getter that invalidates while its value is stored keeps it out', async () => {
  const cache = memoryCache()
  const value = {
    get field() {
      void cache.delete('k')
      return 1
    },
  }
  await cache.getOrSet('k', () => value)
  expect(cache.peek('k')).toBeUndefined()
})
