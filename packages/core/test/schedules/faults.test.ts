import { afterEach, describe, expect, test, vi } from 'vitest'
import type { CacheOptions, CallOptions } from '../../src/index.js'
import { memoryCache, openedCache } from './opened-cache.js'
import { down, lateTagged, settled, slowLoad } from './slow-load.js'

// Each of these fails because of the fault that the comment in front of it names. Whoever mends one takes the `fails` away and moves the
// test to the file of its subject; the first group also lets a check be switched on in interleavings.test.ts.

afterEach(() => {
  vi.useRealTimers()
})

describe('a stale value that a waiting call holds', () => {
  async function held(options: CacheOptions, labels: CallOptions = {}) {
    const cache = memoryCache({ grace: '1h', ...options })
    await cache.set('k', 'old', labels)
    await cache.expire({ key: 'k' })
    const load = slowLoad(cache, 'k')
    await load.begun
    return { cache, load }
  }

  // An entry that another one replaced is in nobody's reach: invalidating its key kills the other one.
  test('is not served after an invalidation when another value had taken its place', async () => {
    const { cache, load } = await held({})
    await cache.getOrSet('k', () => 'newer', { bypass: 'read' })
    await cache.delete('k')
    await expect(load.fail(down)).rejects.toBe(down)
  })

  // Nor is one that was pushed out of the memory.
  test('is not served after its key was invalidated when it had been pushed out', async () => {
    const { cache, load } = await held({ memory: { maxEntries: 1 } })
    await cache.set('other', 1)
    await cache.delete('k')
    await expect(load.fail(down)).rejects.toBe(down)
  })

  // It has let go of its tokens, so they may be forgotten and the invalidation finds none.
  test('is not served after its tag was invalidated when it had been pushed out', async () => {
    const { cache, load } = await held({ memory: { maxEntries: 1 } }, { tags: ['t'] })
    await cache.set('other', 1)
    await cache.invalidate({ tag: 't' })
    await expect(load.fail(down)).rejects.toBe(down)
  })

  // The second load of a call is given the entry that the call found at its start, pushed out and invalidated since.
  test('is not given to the loader to renew after it was pushed out and invalidated', async () => {
    const cache = memoryCache({ grace: '1h', memory: { maxEntries: 1 } })
    await cache.set('k', 'old', { tags: ['users'] })
    await cache.expire({ key: 'k' })
    const finish = await lateTagged(cache, 'k')
    const call = cache.getOrSet('k', (ctx) => (ctx.stale === undefined ? 'new' : ctx.notModified()))
    await settled()
    await cache.set('other', 1)
    await cache.invalidate({ tag: 'users' })
    await finish()
    expect(await call).toBe('new')
    expect(cache.peek('k')).toBe('new')
  })
})

// What was expired is dead once its tag is expired again, though nothing was stored in between. By key it stays.
test('a value whose tag was expired twice in a row still serves as grace', async () => {
  const cache = memoryCache({ grace: '1h' })
  await cache.set('k', 'old', { tags: ['t'] })
  await cache.expire({ tag: 't' })
  await cache.expire({ tag: 't' })
  expect(await cache.getOrSet('k', () => Promise.reject(down))).toBe('old')
})

describe('a value that cannot be copied', () => {
  // copyOf has the codec's default limits, not those of the cache.
  test('because it is larger than the codec allows by default is kept by a cache that allows it', async () => {
    const cache = memoryCache({ clone: true, maxValueBytes: 2 ** 25, memory: { maxBytes: 2 ** 26 } })
    const value = { text: 'x'.repeat(2 ** 24) }
    expect(await cache.getOrSet('k', () => value)).toEqual(value)
    expect(cache.peek('k')).toEqual(value)
  })
})

describe('a load that nobody wants any more', () => {
  // The entry that is postponed is whichever is there, also one that was set after the load began.
  test('because a value was set meanwhile, and fails, does not keep others from loading', async () => {
    const cache = memoryCache({ grace: '1h' })
    const load = slowLoad(cache, 'k')
    await load.begun
    await cache.set('k', 'set')
    await load.fail(down).catch(() => {})
    await cache.expire({ key: 'k' })
    expect(await cache.getOrSet('k', () => 'new')).toBe('new')
  })

  // Flights holds every flight until its loader settles, and a loader that hangs never does.
  test('and never ends is not held on to', async () => {
    const { cache, shared } = openedCache()
    for (let i = 0; i < 100; i++) {
      const controller = new AbortController()
      const gone = cache.getOrSet('k', () => new Promise(() => {}), { signal: controller.signal, tags: [`tag ${i}`] })
      await settled()
      controller.abort()
      await expect(gone).rejects.toMatchObject({ name: 'AbortError' })
    }
    expect(shared.tokens.size).toBeLessThan(10)
    expect(shared.flights.size).toBeLessThan(10)
  })
})

describe('what a load that is started a second time', () => {
  // Each wait of a call gets the whole hardTimeout.
  test('may take is what is left of the hardTimeout', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const cache = memoryCache()
    const finish = await lateTagged(cache, 'k')
    const outcome = cache.getOrSet('k', () => new Promise<string>(() => {}), { hardTimeout: 100 }).catch((error: { code: string }) => error.code)
    await settled()
    vi.advanceTimersByTime(90)
    await finish()
    await settled()
    vi.advanceTimersByTime(20)
    expect(await Promise.race([outcome, settled().then(() => 'still waiting')])).toBe('TIERCEL_LOAD_TIMEOUT')
  })

  // Only the door looks whether the cache is closed.
  test('asks of its source is nothing once the cache is closed', async () => {
    const cache = memoryCache()
    const finish = await lateTagged(cache, 'k')
    const loader = vi.fn(() => 'new')
    const call = cache.getOrSet('k', loader)
    await settled()
    await cache.close()
    await finish()
    await call.catch(() => {})
    expect(loader).not.toHaveBeenCalled()
  })
})

describe('the number of tags of an entry', () => {
  // Only those of one call are counted; a renewal adds them to all the entry had.
  test('stays within its limit however often it is renewed', async () => {
    const { cache, shared } = openedCache({ grace: '1h' })
    for (let i = 0; i < 200; i++) {
      await cache.getOrSet('k', (ctx) => {
        ctx.tags(`day ${i}`)
        return ctx.stale === undefined ? 'value' : ctx.notModified()
      })
      await cache.expire({ key: 'k' })
    }
    expect(shared.tokens.size).toBeLessThanOrEqual(64 + 1)
  })

  // They are added before they are counted.
  test('stays within its limit when the loader goes on after the refusal', async () => {
    const { cache, shared } = openedCache()
    await cache.getOrSet('k', (ctx) => {
      ctx.tags(...Array.from({ length: 64 }, (_, i) => `tag ${i}`))
      try {
        ctx.tags('one too many')
      } catch {
        // Left as it is.
      }
      return 'value'
    })
    expect(shared.tokens.size).toBeLessThanOrEqual(64 + 1)
  })
})

// What a hit in the last part of its TTL resolves for the renewal it resolves again at every hit, though one renewal is under way.
test('hits while a renewal is under way resolve no options', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const cache = memoryCache({ ttl: 100 })
  await cache.set('k', 'value')
  vi.advanceTimersByTime(90)
  const renewal = slowLoad(cache, 'k', { refresh: 0.8 })
  await renewal.begun
  const read = vi.fn(() => undefined)
  const options: CallOptions = Object.defineProperty({ refresh: 0.8 }, 'cacheNull', { get: read, enumerable: true })
  for (let i = 0; i < 100; i++) await cache.getOrSet('k', () => 'value', options)
  await renewal.finish('renewed')
  expect(read).not.toHaveBeenCalled()
})
