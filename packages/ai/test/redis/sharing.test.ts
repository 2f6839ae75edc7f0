import { expect, it, onTestFinished, vi } from 'vitest'
import type { AICacheService } from '@tiercel/ai'
import { createCache } from '@tiercel/core'
import { executedDuring } from '../../../core/test/redis/tier/monitor.js'
import { describeWithRedis, type FaultProxy } from '../../../core/test/redis/server/index.js'
import { families } from '../contract/families.js'
import { gone, soon, until, useServices } from './services.js'

describeWithRedis('two processes', () => {
  const services = useServices()
  const { open, warnings } = services

  it.each(families)('read synchronously what the other one set: $name', async ({ get, set }) => {
    const [a, b] = [await open(), await open()]
    set(a, 'k', { results: [1, { at: new Date(5) }], none: undefined })
    expect(await until(() => get(b, 'k'))).toEqual({ results: [1, { at: new Date(5) }], none: undefined })
    set(b, 'k', 'newer')
    await until(() => get(a, 'k'), (value) => value === 'newer')
  })

  it('are told values too large for a message, in every size', async () => {
    const [a, b] = [await open(), await open()]
    for (const length of [10, 10_000, 100_000, 1_000_000]) {
      a.setSearchResults(`k${length}`, 'x'.repeat(length))
      expect(String(await until(() => b.getSearchResults(`k${length}`))).length).toBe(length)
    }
  })

  it('share a value as it was when it was set, and the one that set it has the value itself', async () => {
    const [a, b] = [await open(), await open()]
    const value = { list: [1] }
    a.setChatResponse('k', value)
    value.list.push(2)
    expect(await until(() => b.getChatResponse('k'))).toEqual({ list: [1] })
    expect(a.getChatResponse('k')).toBe(value)
    await a.flush()
    expect(a.getChatResponse('k')).toBe(value)
  })

  it('agree on the last of several values, and send no others', async () => {
    const [a, b] = [await open(), await open()]
    const executed = await executedDuring(services.redis, async () => {
      for (let i = 0; i < 100; i++) a.setSearchResults('k', i + 1)
      await a.flush()
    })
    expect(await until(() => b.getSearchResults('k'))).toBe(100)
    const stored = executed.filter(({ command }) => command[0]?.toUpperCase() === 'SET' && command[1]?.endsWith(':v'))
    expect(stored).toHaveLength(1)
  })

  it('that set one key at the same time come to the same value', async () => {
    const [a, b] = [await open(), await open()]
    for (let round = 0; round < 30; round++) {
      const key = `k${round}`
      a.setSearchResults(key, `a${round}`)
      b.setSearchResults(key, `b${round}`)
      await Promise.all([a.flush(), b.flush()])
      await vi.waitFor(() => {
        expect(a.getSearchResults(key)).not.toBeNull()
        expect(a.getSearchResults(key)).toBe(b.getSearchResults(key))
      }, soon)
    }
  })

  it('keep a value no longer there than here', async () => {
    const [a, b] = [await open(), await open()]
    a.setSearchResults('k', 'v', 5)
    await until(() => b.getSearchResults('k'))
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    vi.setSystemTime(Date.now() + 6 * 60_000)
    expect([a.getSearchResults('k'), b.getSearchResults('k')]).toEqual([null, null])
    vi.useRealTimers()
    a.setSearchResults('long', 'v', 10)
    await a.flush()
    const left = Number(await services.redis.cli('PTTL', 'ai:search:1:{long}:v'))
    expect(left).toBeGreaterThan(9 * 60_000)
    expect(left).toBeLessThanOrEqual(10 * 60_000)
  })

  it('lose what expired already, in both', async () => {
    const [a, b] = [await open(), await open()]
    a.setSearchResults('k', 'v')
    await until(() => b.getSearchResults('k'))
    a.setSearchResults('k', 'w', -1)
    expect(a.getSearchResults('k')).toBeNull()
    await until(() => b.getSearchResults('k'), gone)
  })

  it('do not push out of each other’s memory what is used there', async () => {
    const [a, b] = [await open({ chatCacheSize: 200 }), await open({ chatCacheSize: 10 })]
    for (let i = 0; i < 9; i++) b.setChatResponse(`hot${i}`, i + 1)
    await b.flush()
    for (let i = 0; i < 100; i++) a.setChatResponse(`cold${i}`, i + 1)
    await a.flush()
    await until(() => b.getChatResponse('cold99'))
    for (let i = 0; i < 9; i++) expect(b.getChatResponse(`hot${i}`)).toBe(i + 1)
    expect(b.getStats().chat.size).toBe(10)
  })

  it('do not share what has another name or prefix', async () => {
    const [a, b, c] = [await open(), await open({ name: 'other' }), await open({ prefix: 'app:' })]
    a.setSearchResults('k', 'v')
    await a.flush()
    expect(await b.async.getSearchResults('k')).toBeNull()
    expect(await c.async.getSearchResults('k')).toBeNull()
  })

  it('go on with a value that cannot be sent, in the process that has it', async () => {
    const [a, b] = [await open(), await open()]
    a.setSearchResults('k', 'older')
    await until(() => b.getSearchResults('k'))
    const value = { call: () => 42 }
    a.setSearchResults('k', value)
    expect(a.getSearchResults('k')).toBe(value)
    await until(() => b.getSearchResults('k'), gone)
    expect(warnings).toHaveLength(1)
  })

  it('share with encryption too, and then nothing of a value is in a message or in Redis', async () => {
    const encryption = '0'.repeat(64)
    const [a, b] = [await open({ encryption }), await open({ encryption })]
    await a.async.setSearchResults('first', 'v')
    const executed = await executedDuring(services.redis, async () => {
      a.setSearchResults('k', 'a secret of state')
      await until(() => b.getSearchResults('k'))
    })
    const sent = executed.map(({ command }) => command.join(' ')).join('\n')
    expect(sent).toContain('k}:v')
    expect(sent).not.toContain('secret')
    const messages = executed.filter(({ command }) => command[0]?.toUpperCase() === 'PUBLISH').map(({ command }) => command.at(-1) ?? '')
    // Who, how, where, which keys and which labels, and no value.
    expect(messages.map((message) => (JSON.parse(message.slice(message.indexOf('|') + 1).replaceAll('\\"', '"')) as unknown[]).length)).toEqual([5])
  })

  it('with a codec of their own share what it encodes', async () => {
    const codec = { id: 40, encode: (value: unknown) => Buffer.from(`<${String(value)}>`), decode: (bytes: Uint8Array) => Buffer.from(bytes).toString().slice(1, -1) }
    const [a, b, c] = [await open({ codec }), await open({ codec }), await open()]
    a.setSearchResults('k', 'v')
    expect(await until(() => b.getSearchResults('k'))).toBe('v')
    expect(await c.async.getSearchResults('k')).toBeNull()
  })
})

describeWithRedis('a process that starts', () => {
  const services = useServices()
  const { open, opening } = services

  it('has the newest values before anybody asks, in at most ten round trips for a thousand', async () => {
    const a = await open()
    for (let i = 0; i < 1000; i++) a.setSearchResults(`k${i}`, i + 1)
    await a.flush()
    let b = a
    const executed = await executedDuring(services.redis, async () => {
      b = await open()
    })
    expect(b.getStats().search.size).toBe(1000)
    for (let i = 0; i < 1000; i++) expect(b.getSearchResults(`k${i}`)).toBe(i + 1)
    const sent = executed.filter(({ from }) => from !== 'lua').map(({ command }) => command)
    // What is asked with the names of values or of the index; the rest is what every connection begins with.
    const asked = sent.filter((command) => command.some((word) => word.startsWith('ai:') && !word.includes(':bus')))
    expect(asked.length).toBeLessThanOrEqual(10)
    expect(asked.flat()).toContain('ai:search:1:{k999}:v')
  })

  it('takes the newest when there are more than it has room for', async () => {
    const a = await open({ searchCacheSize: 50 })
    for (let i = 0; i < 50; i++) {
      a.setSearchResults(`k${i}`, i + 1)
      await a.flush()
    }
    const b = await open({ searchCacheSize: 5 })
    expect([44, 45, 46, 47, 48, 49].map((i) => b.getSearchResults(`k${i}`))).toEqual([null, 46, 47, 48, 49, 50])
  })

  it('finds all four families', async () => {
    const a = await open()
    for (const { set } of families) for (const key of ['x', 'y']) set(a, key, key)
    await a.flush()
    const b = await open()
    for (const { get } of families) for (const key of ['x', 'y']) expect(get(b, key)).toBe(key)
  })

  it('does so again when asked to warm up', async () => {
    const [a, b] = [await open(), await open({ searchCacheSize: 2 })]
    for (const key of ['a', 'b', 'c', 'd']) a.setSearchResults(key, key)
    await a.flush()
    b.clearAll()
    await b.flush()
    for (const key of ['a', 'b']) a.setSearchResults(key, key)
    await a.flush()
    await b.warmCache()
    expect([b.getSearchResults('a'), b.getSearchResults('b')]).toEqual(['a', 'b'])
  })

  it('may set and read before it is connected', async () => {
    const [a, b] = [opening(), await open()]
    a.setSearchResults('k', 'v')
    expect(a.getSearchResults('k')).toBe('v')
    await until(() => b.getSearchResults('k'))
    await a.ready
    expect(a.getSearchResults('k')).toBe('v')
  })

  it('leaves Redis no more than a family holds, and names only what it has', async () => {
    const a = await open({ searchCacheSize: 20 })
    for (let i = 0; i < 200; i++) {
      a.setSearchResults(`k${i}`, i)
      if (i % 7 === 0) await a.flush()
    }
    await a.flush()
    await vi.waitFor(async () => {
      const names = (await services.redis.cli('KEYS', 'ai:search:1:{*}:v')) as string[]
      expect(names.length).toBeLessThanOrEqual(20)
      expect(names).toContain('ai:search:1:{k199}:v')
    }, soon)
    expect(await services.redis.cli('ZCARD', 'ai:search:1:newest')).toBe(20)
  })
})

describeWithRedis('a value that only Redis holds', () => {
  const services = useServices()
  const { open, proxy } = services

  /** A service with room for one value, which is told of another one after that. */
  async function without(key: string, value: string, redis: string = services.redis.url): Promise<AICacheService> {
    const [a, b] = [await open(), await open({ redis, searchCacheSize: 1 })]
    a.setSearchResults(key, value)
    await a.flush()
    a.setSearchResults('another', 1)
    await until(() => b.getSearchResults('another'))
    return b
  }

  /** Misses it, and waits until Redis was asked for it. */
  async function missing(service: AICacheService, way: FaultProxy): Promise<void> {
    const sent = way.counts.up.bytes
    expect(service.getSearchResults('k')).toBeNull()
    await vi.waitUntil(() => way.counts.up.bytes > sent, soon)
  }

  it('is missed once by a synchronous read, and then there', async () => {
    const b = await without('k', 'v')
    expect(b.getSearchResults('k')).toBeNull()
    expect(await until(() => b.getSearchResults('k'))).toBe('v')
  })

  it('is asked for once, however many miss it, and not again when Redis has nothing', async () => {
    const b = await open()
    const executed = await executedDuring(services.redis, async () => {
      for (let i = 0; i < 100; i++) b.getSearchResults('k')
      await b.async.getChatResponse('done')
      for (let i = 0; i < 100; i++) b.getSearchResults('k')
      await b.async.getChatResponse('done')
    })
    const asked = executed.filter(({ command }) => command.includes('ai:search:1:{k}:v'))
    expect(asked).toHaveLength(1)
  })

  it('is asked for again once another process has stored it', async () => {
    const [a, b] = [await open(), await open({ searchCacheSize: 1 })]
    expect(await b.async.getSearchResults('k')).toBeNull()
    a.setSearchResults('k', 'v')
    await a.flush()
    a.setSearchResults('another', 1)
    await until(() => b.getSearchResults('another'))
    expect(b.getSearchResults('k')).toBeNull()
    expect(await until(() => b.getSearchResults('k'))).toBe('v')
  })

  it('is not brought in over a set that came meanwhile', async () => {
    const way = await proxy()
    const b = await without('k', 'old', way.url)
    way.pause('down')
    await missing(b, way)
    b.setSearchResults('k', 'new')
    await way.heal()
    await b.flush()
    expect(b.getSearchResults('k')).toBe('new')
    expect(await b.async.getSearchResults('k')).toBe('new')
  })

  it.each([
    ['of all', (service: AICacheService) => service.invalidateSearchCache()],
    ['by a pattern', (service: AICacheService) => service.invalidateSearchCache('k*')],
    ['of everything', (service: AICacheService) => service.clearAll()],
  ])('is not brought in past an invalidation %s that came meanwhile', async (_, invalidate) => {
    const way = await proxy()
    const b = await without('k', 'old', way.url)
    way.pause('down')
    await missing(b, way)
    invalidate(b)
    await way.heal()
    await b.flush()
    expect(await b.async.getSearchResults('k')).toBeNull()
    expect(b.getSearchResults('k')).toBeNull()
  })
})

describeWithRedis('the awaited face', () => {
  const services = useServices()
  const { open } = services

  it('looks in Redis, and leaves what it found in the memory of both faces', async () => {
    const [a, b] = [await open(), await open({ searchCacheSize: 1 })]
    a.setSearchResults('k', 'v')
    await a.flush()
    a.setSearchResults('another', 1)
    await until(() => b.getSearchResults('another'))
    const { hits, misses } = b.getStats().search
    expect(await b.async.getSearchResults('k')).toBe('v')
    expect(b.getSearchResults('k')).toBe('v')
    expect(b.getStats().search).toMatchObject({ hits: hits + 2, misses })
  })

  it('looks in Redis after an invalidation of something else, too', async () => {
    const [a, b] = [await open(), await open({ searchCacheSize: 1 })]
    a.setSearchResults('k', 'v')
    await a.flush()
    a.setSearchResults('another', 1)
    await until(() => b.getSearchResults('another'))
    b.invalidateSearchCache('none*')
    expect(await b.async.getSearchResults('k')).toBe('v')
  })

  it('resolves a set when Redis has the value, and an invalidation when Redis has it no more', async () => {
    const a = await open()
    await a.async.setChatResponse('k', 'v')
    expect(await services.redis.cli('EXISTS', 'ai:chat:1:{k}:v')).toBe(1)
    await a.async.clearAll()
    const other = await open()
    expect(await other.async.getChatResponse('k')).toBeNull()
  })

  it('counts a read once', async () => {
    const b = await open()
    await b.async.getSearchResults('k')
    await b.async.setSearchResults('k', 'v')
    await b.async.getSearchResults('k')
    expect(b.getStats().search).toMatchObject({ hits: 1, misses: 1 })
  })

  it('gives each of many that are read at once, though there is no room for all of them', async () => {
    const [a, b] = [await open(), await open({ searchCacheSize: 2 })]
    for (let i = 0; i < 50; i++) a.setSearchResults(`k${i}`, i + 1)
    await a.flush()
    const found = await Promise.all(Array.from({ length: 50 }, (_, i) => b.async.getSearchResults<number>(`k${i}`)))
    expect(found).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    expect(b.getStats().search).toEqual({ hits: 50, misses: 0, size: 2, maxSize: 2 })
  })

  it('finds what it set itself, though memory has lost it', async () => {
    const a = await open({ searchCacheSize: 2 })
    for (let i = 0; i < 20; i++) {
      a.setSearchResults('x', i)
      void a.async.setSearchResults('k', i + 1)
      a.getSearchResults('x')
      // Redis has room for the two that were set last, memory for the two that were used last.
      a.setSearchResults('y', 1)
      expect(await a.async.getSearchResults('k')).toBe(i + 1)
    }
  })

  it('shows other caches nothing, and is shown nothing by them', async () => {
    const a = await open()
    const cache = createCache({ redis: services.redis.url, name: 'ai:search' })
    await cache.set('k', 'of a cache with the same name')
    expect(await a.async.getSearchResults('k')).toBeNull()
    await cache.close()
  })
})
