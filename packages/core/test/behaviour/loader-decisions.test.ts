import { expect, it } from 'vitest'
import type { Duration } from '../../src/index.js'
import { describeCaches } from './harness.js'

const down = () => Promise.reject(new Error('down'))

describeCaches('ctx.ttl and ctx.skip', ({ make, pass }) => {
  it('keeps a value for as long as its loader says', async () => {
    const cache = make({ ttl: '1h' })
    await cache.getOrSet('k', (ctx) => (ctx.ttl('2s'), 'v'), { ttl: '1m' })
    expect(await cache.ttl('k')).toBe(2000)
    await cache.getOrSet('twice', (ctx) => (ctx.ttl('2s'), ctx.ttl(3000), 'v'))
    expect(await cache.ttl('twice')).toBe(3000)
  })

  it('does not keep a value its loader gives a TTL of 0, nor the one before it', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    expect(await cache.getOrSet('k', (ctx) => (ctx.ttl(0), 'v'))).toBe('v')
    expect(await cache.get('k')).toBeUndefined()
    await expect(cache.getOrSet('k', down)).rejects.toThrow('down')
  })

  it('keeps a value that its loader gives a TTL, though the call has none', async () => {
    const cache = make()
    await cache.getOrSet('k', (ctx) => (ctx.ttl('1s'), 'v'), { ttl: 0 })
    expect(await cache.ttl('k')).toBe(1000)
  })

  it.each([-1, Number.NaN, Infinity, '1 day', '5', null, {}])('fails the load at a TTL of %s', async (ttl) => {
    const cache = make()
    const call = cache.getOrSet('k', (ctx) => (ctx.ttl(ttl as Duration), 'v'))
    await expect(call).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
  })

  it('keeps a value in grace for as long as its loader says', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.getOrSet('k', (ctx) => (ctx.grace('2s'), 'v'))
    await pass(2000)
    expect(await cache.getOrSet('k', down)).toBe('v')
    await pass(2000)
    await expect(cache.getOrSet('k', down)).rejects.toThrow('down')
  })

  it('keeps a value for its next load only, when its loader gives it grace and a TTL of 0', async () => {
    const cache = make()
    await cache.getOrSet('k', (ctx) => (ctx.ttl(0), ctx.grace('1m'), ctx.etag('1'), 'v'))
    expect(await cache.get('k')).toBeUndefined()
    const stale = await cache.getOrSet('k', (ctx) => ctx.skip(ctx.stale))
    expect(stale).toEqual({ value: 'v', etag: '1' })
  })

  it('does not keep a value that has neither TTL nor grace', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.getOrSet('k', (ctx) => (ctx.ttl(0), ctx.grace(0), 'v'))
    await expect(cache.getOrSet('k', down)).rejects.toThrow('down')
  })

  it('serves a skipped value to all who waited, and keeps it for nobody', async () => {
    const cache = make()
    const values = await Promise.all([cache.getOrSet('k', (ctx) => ctx.skip('v')), cache.getOrSet('k', () => 'not asked')])
    expect(values).toEqual(['v', 'v'])
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ sets: 0, fenced: 0, uncacheable: 0 })
  })

  it('leaves what grace has when a load is skipped', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'old')
    await pass(1000)
    expect(await cache.getOrSet('k', (ctx) => ctx.skip('makeshift'))).toBe('makeshift')
    expect(await cache.getOrSet('k', down)).toBe('old')
  })
})
