import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

describeCaches('get, set, has and delete', ({ make, pass }) => {
  it('gives back what was set until its TTL is over', async () => {
    const cache = make()
    expect(await cache.set('k', { a: 1 }, { ttl: '1s' })).toBe(true)
    await pass(999)
    expect(await cache.get('k')).toEqual({ a: 1 })
    expect(await cache.has('k')).toBe(true)
    await pass(1)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
  })

  it('knows nothing of a key that was never set', async () => {
    const cache = make()
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
    expect(await cache.delete('k')).toMatchObject({ durable: true, count: 0 })
  })

  it('replaces the value, the TTL and the tags with those of the last set', async () => {
    const cache = make()
    await cache.set('k', 'first', { ttl: '1h', tags: ['old'] })
    await cache.set('k', 'second', { ttl: '1s', tags: ['new'] })
    await cache.invalidateTag('old')
    expect(await cache.get('k')).toBe('second')
    await cache.invalidateTag('new')
    expect(await cache.get('k')).toBeUndefined()
    await cache.set('k', 'third', { ttl: '1s' })
    await pass(1000)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('serves to getOrSet what was set', async () => {
    const cache = make()
    const load = vi.fn(() => 'loaded')
    await cache.set('k', 'set')
    expect(await cache.getOrSet('k', load)).toBe('set')
    expect(load).not.toHaveBeenCalled()
  })

  it.each([
    ['undefined', undefined, {}],
    ['a TTL of 0', 'new', { ttl: 0 }],
    ['null that is not to be kept', null, { cacheNull: false }],
    ['a function', () => 1, {}],
  ])('empties the key when what is set cannot be kept: %s', async (_, value, options) => {
    const cache = make()
    await cache.set('k', 'old')
    expect(await cache.set('k', value, options)).toBe(false)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('does not bring the emptied value back as grace', async () => {
    const cache = make({ grace: '1h' })
    await cache.set('k', 'old')
    await cache.set('k', undefined)
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  })

  it('keeps out what was being loaded when the key was set to nothing', async () => {
    const cache = make()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await cache.set('k', undefined)
    loading.succeed('old')
    expect(await call).toBe('old')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('deletes a key once', async () => {
    const cache = make()
    await cache.set('k', 1)
    await cache.set('other', 2)
    expect(await cache.delete('k')).toEqual({ durable: true, count: 1 })
    expect(await cache.delete('k')).toEqual({ durable: true, count: 0 })
    expect(await cache.getMany(['k', 'other'])).toEqual(new Map([['other', 2]]))
  })

  it('drops the grace of what it deletes', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await cache.delete('k')
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  })

  it('does not store a load that began before its key was deleted, but gives it to its caller', async () => {
    const cache = make()
    const load = heldLoader()
    const early = cache.getOrSet('k', load)
    const first = await load.called(1)
    await cache.delete('k')
    const late = cache.getOrSet('k', load)
    const second = await load.called(2)
    first.succeed('old')
    expect(await early).toBe('old')
    expect(await cache.get('k')).toBeUndefined()
    second.succeed('new')
    expect(await late).toBe('new')
    expect(await cache.get('k')).toBe('new')
  })
})
