import { expect, it } from 'vitest'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

interface List {
  items: number[]
}

describeCaches('clone', ({ make, pass }) => {
  it('keeps what a caller does to a value from all others', async () => {
    const cache = make({ clone: true })
    const mine: List = { items: [1] }
    await cache.set('set', mine)
    mine.items.push(2)
    expect(await cache.get('set')).toEqual({ items: [1] })

    const loaded = await cache.getOrSet('loaded', (): List => ({ items: [1] }))
    loaded.items.push(2)
    const hit = await cache.getOrSet('loaded', (): List => ({ items: [] }))
    hit.items.push(3)
    ;((await cache.get('loaded')) as List).items.push(4)
    cache.peek<List>('loaded')?.items.push(5)
    ;(await cache.getMany<List>(['loaded'])).get('loaded')?.items.push(6)
    ;(await cache.getOrSetMany<List>(['loaded'], () => [])).get('loaded')?.items.push(7)
    expect(await cache.get('loaded')).toEqual({ items: [1] })
  })

  it('gives each of those who waited for a load a value of their own', async () => {
    const cache = make({ clone: true })
    const load = heldLoader<List>()
    const calls = Promise.all([cache.getOrSet('k', load), cache.getOrSet('k', load)])
    const loading = await load.called()
    await pass(1)
    loading.succeed({ items: [1] })
    const [one, two] = await calls
    one.items.push(2)
    expect(two).toEqual({ items: [1] })
    expect(await cache.get('k')).toEqual({ items: [1] })
  })

  it('gives what is stale as a copy too', async () => {
    const cache = make({ clone: true, ttl: '1s', grace: '1h' })
    await cache.set('k', { items: [1] })
    await pass(1000)
    const down = (): Promise<List> => Promise.reject(new Error('down'))
    ;(await cache.getOrSet('k', down)).items.push(2)
    expect(await cache.getOrSet('k', down)).toEqual({ items: [1] })
  })

  it('gives the loader a copy of the previous value', async () => {
    const cache = make({ clone: true, ttl: '1s', grace: '1h' })
    await cache.set('k', { items: [1] })
    await pass(1000)
    const call = cache.getOrSet<List>('k', (ctx) => {
      const previous = ctx.stale?.value as List
      previous.items.push(2)
      throw new Error('down')
    })
    expect(await call).toEqual({ items: [1] })
  })

  it('keeps the types that values may have', async () => {
    const cache = make({ clone: true })
    const value = { at: new Date(0), tags: new Set(['a']), by: new Map([['b', 1n]]), none: undefined }
    await cache.set('k', value)
    expect(await cache.get('k')).toEqual(value)
    expect(await cache.get('k')).not.toBe(value)
    for (const plain of [1, 'a', true, null]) {
      await cache.set('k', plain)
      expect(await cache.get('k')).toBe(plain)
    }
  })

  // What cannot be encoded cannot be copied, and the failure of that reaches the caller.
  it('serves a value that cannot be kept as it is', async () => {
    const cache = make({ clone: true })
    const live = { close: () => {} }
    expect(await cache.getOrSet('k', () => live)).toBe(live)
    expect(cache.stats().uncacheable).toBe(1)
  })

  it('serves a value that is not an object and cannot be kept as it is', async () => {
    const cache = make({ clone: true })
    const live = () => {}
    expect(await cache.getOrSet('k', () => live)).toBe(live)
  })
})
