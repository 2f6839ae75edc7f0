import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

describeCaches('bypass', ({ make, pass }) => {
  it("loads anew and stores with 'read'", async () => {
    const cache = make()
    await cache.set('k', 'old')
    expect(await cache.getOrSet('k', () => 'new', { bypass: 'read' })).toBe('new')
    expect(await cache.get('k')).toBe('new')
    expect(await cache.get('k', { bypass: 'read' })).toBeUndefined()
  })

  it("reads, and loads without storing, with 'write'", async () => {
    const cache = make()
    const load = vi.fn(() => 'loaded')
    expect(await cache.getOrSet('k', load, { bypass: 'write' })).toBe('loaded')
    expect(await cache.get('k')).toBeUndefined()
    await cache.set('k', 'stored')
    expect(await cache.getOrSet('k', load, { bypass: 'write' })).toBe('stored')
    expect(load).toHaveBeenCalledTimes(1)
    expect(await cache.set('k', 'ignored', { bypass: 'write' })).toBe(false)
    expect(await cache.get('k')).toBe('stored')
  })

  it("only loads with 'both'", async () => {
    const cache = make()
    await cache.set('k', 'stored')
    expect(await cache.getOrSet('k', () => 'loaded', { bypass: 'both' })).toBe('loaded')
    expect(await cache.get('k')).toBe('stored')
    expect(await cache.set('k', 'ignored', { bypass: 'both' })).toBe(false)
    expect(await cache.get('k', { bypass: 'both' })).toBeUndefined()
  })

  it('bypasses for every key of a batch', async () => {
    const cache = make()
    await cache.setMany([['a', 'old'], ['b', 'old']])
    const load = vi.fn((missing: string[]) => missing.map((key) => [key, 'new'] as const))
    expect(await cache.getOrSetMany(['a', 'b'], load, { bypass: 'read' })).toEqual(new Map([['a', 'new'], ['b', 'new']]))
    expect(load).toHaveBeenCalledTimes(1)
    expect(await cache.getMany(['a', 'b'], { bypass: 'read' })).toEqual(new Map())
  })

  it("does not join a load under way with 'read': it may be older than what the call is to see", async () => {
    const cache = make()
    const load = heldLoader()
    const first = cache.getOrSet('k', load)
    const one = await load.called(1)
    const second = cache.getOrSet('k', load, { bypass: 'read' })
    const two = await load.called(2)
    two.succeed('new')
    expect(await second).toBe('new')
    one.succeed('old')
    expect(await first).toBe('old')
    expect(await cache.get('k')).toBe('new')
  })

  it('keeps the load that began last, in whichever order they end', async () => {
    const cache = make()
    const load = heldLoader()
    const calls = Promise.all([1, 2, 3].map(() => cache.getOrSet('k', load, { bypass: 'read' })))
    const [one, two, three] = [await load.called(1), await load.called(2), await load.called(3)]
    three.succeed('third')
    one.succeed('first')
    two.succeed('second')
    expect(await calls).toEqual(['first', 'second', 'third'])
    expect(await cache.get('k')).toBe('third')
  })

  it('stores the value for a caller who wants it stored while one who does not is loading', async () => {
    const cache = make()
    const load = heldLoader()
    const first = cache.getOrSet('k', load, { bypass: 'write' })
    const one = await load.called(1)
    const second = cache.getOrSet('k', load)
    const two = await load.called(2)
    two.succeed('stored')
    expect(await second).toBe('stored')
    one.succeed('not stored')
    expect(await first).toBe('not stored')
    expect(await cache.get('k')).toBe('stored')
  })

  it("lets a load that is to be stored be stored, and joined, though one with 'both' began after it", async () => {
    const cache = make()
    const load = heldLoader()
    const first = cache.getOrSet('k', load)
    const one = await load.called(1)
    const aside = cache.getOrSet('k', load, { bypass: 'both' })
    const two = await load.called(2)
    const joined = cache.getOrSet('k', load)
    await pass(1)
    two.succeed('aside')
    one.succeed('stored')
    expect(await Promise.all([first, aside, joined])).toEqual(['stored', 'aside', 'stored'])
    expect(await cache.get('k')).toBe('stored')
    expect(load.calls).toHaveLength(2)
  })

  it('lets a caller who does not store wait for a load that does', async () => {
    const cache = make()
    const load = heldLoader()
    const first = cache.getOrSet('k', load)
    const one = await load.called(1)
    const second = cache.getOrSet('k', load, { bypass: 'write' })
    await pass(1)
    one.succeed('v')
    expect(await Promise.all([first, second])).toEqual(['v', 'v'])
    expect(load.calls).toHaveLength(1)
  })

  it('fails with the load when the read was bypassed, whatever grace has', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')), { bypass: 'read' })).rejects.toThrow('down')
    expect(await cache.getOrSet('k', () => Promise.reject(new Error('down')))).toBe('old')
  })
})
