import { expect, it, vi } from 'vitest'
import type { LoadContext } from '../../src/index.js'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

/** A source that answers with a version, and says when the version is the one the caller has. */
function source(version: () => number) {
  return vi.fn((ctx: LoadContext) => {
    const etag = `e${version()}`
    if (ctx.stale?.etag === etag) return ctx.notModified()
    ctx.etag(etag)
    return `v${version()}`
  })
}

describeCaches('ctx.stale, ctx.etag and ctx.notModified', ({ make, pass }) => {
  it('renews a value that its source says is still good, and keeps its etag', async () => {
    const cache = make({ ttl: '10s', grace: '1h' })
    let version = 1
    const load = source(() => version)
    for (let i = 0; i < 3; i++) {
      expect(await cache.getOrSet('k', load)).toBe('v1')
      expect(await cache.ttl('k')).toBe(10_000)
      await pass(10_000)
    }
    version = 2
    expect(await cache.getOrSet('k', load)).toBe('v2')
    expect(load).toHaveBeenCalledTimes(4)
    expect(load.mock.results.map(({ value }) => value as string)).toEqual(['v1', 'v1', 'v1', 'v2'])
    expect(load.mock.calls.map(([ctx]) => ctx.stale?.etag)).toEqual([undefined, 'e1', 'e1', 'e1'])
  })

  it('serves the previous value also when the loader forgets to return it', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', 'v')
    await pass(1000)
    const value = await cache.getOrSet<unknown>('k', (ctx) => {
      ctx.notModified()
    })
    expect(value).toBe('v')
    expect(await cache.get('k')).toBe('v')
  })

  it('lets the loader give a renewed value a new etag, another TTL and more tags', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.getOrSet('k', (ctx) => (ctx.etag('e1'), 'v'), { tags: ['first'] })
    await pass(1000)
    await cache.getOrSet('k', (ctx) => {
      ctx.etag('e2')
      ctx.ttl('1m')
      ctx.tags('second')
      return ctx.notModified()
    })
    expect(await cache.ttl('k')).toBe(60_000)
    await cache.expire({ tag: 'second' })
    expect(await cache.getOrSet<unknown>('k', (ctx) => ctx.stale)).toEqual({ value: 'v', etag: 'e2' })
  })

  it('keeps the tags and the room a renewed value had, though the call that renews it names none', async () => {
    for (const target of [{ tag: 'of call' }, { tag: 'of loader' }, { room: 'r' }]) {
      const cache = make({ ttl: '1s', grace: '1h' })
      await cache.getOrSet('k', (ctx) => (ctx.tags('of loader'), 'v'), { tags: ['of call'], room: 'r' })
      await pass(1000)
      await cache.getOrSet<unknown>('k', (ctx) => ctx.notModified())
      expect(await cache.get('k')).toBe('v')
      await cache.invalidate(target)
      expect(await cache.get('k'), JSON.stringify(target)).toBeUndefined()
    }
  })

  it('does not renew what was invalidated while the source was asked', async () => {
    for (const target of [{ key: 'k' }, { tag: 't' }, { room: 'r' }, { all: true }, { pattern: '*' }]) {
      const cache = make({ ttl: '1s', grace: '1h' })
      await cache.getOrSet('k', (ctx) => (ctx.room('r'), 'old'), { tags: ['t'] })
      await pass(1000)
      const load = heldLoader()
      const call = cache.getOrSet('k', load)
      const loading = await load.called()
      await cache.invalidate(target)
      loading.succeed(loading.ctx.notModified())
      expect(await call).toBe('old')
      expect(await cache.get('k'), JSON.stringify(target)).toBeUndefined()
      await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    }
  })

  it('knows no previous value when there is none, or none within its grace', async () => {
    const cache = make({ ttl: '1s', grace: '1s' })
    const stale = async () => cache.getOrSet<unknown>('k', (ctx) => (ctx.skip(), ctx.stale))
    expect(await stale()).toBeUndefined()
    await cache.set('k', 'v')
    await pass(1999)
    expect(await stale()).toEqual({ value: 'v', etag: undefined })
    await pass(1)
    expect(await stale()).toBeUndefined()
    await cache.set('k', 'v')
    await cache.delete('k')
    expect(await stale()).toBeUndefined()
  })

  it('fails a load that calls notModified without a previous value', async () => {
    const cache = make()
    const call = cache.getOrSet('k', (ctx) => ctx.notModified())
    await expect(call).rejects.toMatchObject({ name: 'NothingStaleError', code: 'TIERCEL_NOTHING_STALE' })
  })

  it('takes null as a previous value', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.set('k', null)
    await pass(1000)
    expect(await cache.getOrSet<unknown>('k', (ctx) => ctx.notModified())).toBeNull()
    expect(await cache.has('k')).toBe(true)
  })

  it('takes etags of up to 1024 well-formed characters', async () => {
    const cache = make()
    const withEtag = (key: string, etag: unknown) => cache.getOrSet(key, (ctx) => (ctx.etag(etag as string), 'v'))
    expect(await withEtag('empty', '')).toBe('v')
    expect(await withEtag('long', 'x'.repeat(1024))).toBe('v')
    for (const etag of ['x'.repeat(1025), '\uD800', 5, undefined]) {
      await expect(withEtag('bad', etag)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    }
  })

  it('forgets the etag with the value: a later value without one has none', async () => {
    const cache = make({ ttl: '1s', grace: '1h' })
    await cache.getOrSet('k', (ctx) => (ctx.etag('e1'), 'v1'))
    await pass(1000)
    await cache.getOrSet('k', () => 'v2')
    await pass(1000)
    expect(await cache.getOrSet<unknown>('k', (ctx) => ctx.stale)).toEqual({ value: 'v2', etag: undefined })
  })
})
