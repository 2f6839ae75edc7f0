import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

const down = () => Promise.reject(new Error('down'))
const targets = [{ key: 'k' }, { keys: ['k'] }, { tag: 't' }, { tags: ['t'] }, { room: 'r' }, { rooms: ['r'] }, { pattern: 'k*' }, { all: true }]
const labels = { tags: ['t'], room: 'r' }

describeCaches('expire', ({ make, pass }) => {
  it.each(targets)('makes a fresh value one for grace only: %j', async (target) => {
    const cache = make({ grace: '1h' })
    await cache.set('k', 'old', labels)
    await cache.expire(target)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
    expect(await cache.getOrSet('k', down, labels)).toBe('old')
    const load = vi.fn(() => 'new')
    await pass(1000)
    expect(await cache.getOrSet('k', load, labels)).toBe('new')
    expect(await cache.get('k')).toBe('new')
  })

  it.each(targets)('does not store a load that began before it: %j', async (target) => {
    const cache = make({ grace: '1h' })
    await cache.set('k', 'older', { ...labels, ttl: '1s' })
    await pass(1000)
    const load = heldLoader()
    const early = cache.getOrSet('k', load, labels)
    const first = await load.called(1)
    await cache.expire(target)
    const late = cache.getOrSet('k', load, labels)
    const second = await load.called(2)
    first.succeed('old')
    second.succeed('new')
    expect([await early, await late]).toEqual(['old', 'new'])
    expect(await cache.get('k')).toBe('new')
  })

  it.each(targets)('is followed by invalidate, which drops what expire left: %j', async (target) => {
    const cache = make({ grace: '1h' })
    await cache.set('k', 'old', labels)
    await cache.expire(target)
    await cache.invalidate(target)
    await expect(cache.getOrSet('k', down, labels)).rejects.toThrow('down')
  })

  it('gives the old value to the loader', async () => {
    const cache = make()
    await cache.getOrSet('k', (ctx) => (ctx.etag('e1'), 'old'))
    await cache.expire({ key: 'k' })
    const seen = await cache.getOrSet('k', (ctx) => ctx.stale)
    expect(seen).toEqual({ value: 'old', etag: 'e1' })
  })

  it('lets grace serve only those who ask for it, and no longer than the value would have lived', async () => {
    const cache = make({ ttl: '10s' })
    await cache.set('k', 'old', { grace: '10s' })
    await cache.expire({ key: 'k' })
    await expect(cache.getOrSet('k', down)).rejects.toThrow('down')
    await pass(19_999)
    expect(await cache.getOrSet('k', down, { grace: '10s' })).toBe('old')
    await pass(1)
    await expect(cache.getOrSet('k', down, { grace: '10s' })).rejects.toThrow('down')
  })

  it('tells how many values keys and patterns expired', async () => {
    const cache = make()
    await cache.setMany([['a', 1], ['b', 2], ['c', 3]])
    expect(await cache.expire({ keys: ['a', 'missing'] })).toEqual({ durable: true, count: 1 })
    expect(await cache.expire({ pattern: '[bc]' })).toEqual({ durable: true, count: 2 })
    expect(await cache.expire({ tag: 't' })).toEqual({ durable: true })
  })

  it('leaves what is stored afterwards alone', async () => {
    const cache = make()
    await cache.expire({ tag: 't' })
    await cache.set('k', 'new', { tags: ['t'] })
    expect(await cache.get('k')).toBe('new')
  })

  it('refuses what invalidate refuses', async () => {
    const cache = make()
    await expect(cache.expire({})).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TARGET' })
    await expect(cache.expire({ key: '' })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
  })
})
