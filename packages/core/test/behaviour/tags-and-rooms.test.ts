import { expect, it } from 'vitest'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

describeCaches('tags and rooms', ({ make }) => {
  it('forgets all that carries a tag and nothing else', async () => {
    const cache = make()
    await cache.getOrSet('a', () => 1, { tags: ['x', 'y'] })
    await cache.set('b', 2, { tags: ['y'] })
    await cache.set('c', 3, { tags: ['z'] })
    await cache.invalidateTag('y')
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(new Map([['c', 3]]))
  })

  it('keeps tags, rooms and keys of one name apart', async () => {
    const cache = make()
    await cache.set('name', 'key')
    await cache.set('t', 'tag', { tags: ['name'] })
    await cache.set('r', 'room', { room: 'name' })
    await cache.invalidateTag('name')
    expect(await cache.getMany(['name', 't', 'r'])).toEqual(new Map([['name', 'key'], ['r', 'room']]))
    await cache.invalidateRoom('name')
    expect(await cache.getMany(['name', 't', 'r'])).toEqual(new Map([['name', 'key']]))
  })

  it.each(['all', 'g', 't', 'r', '*', 'a:b', '{x}', 'line\nbreak', '\0', '__proto__', 'constructor', 'emoji 🦅', 'x'.repeat(1024)])(
    'takes %j as a tag and as a room like any other',
    async (label) => {
      const cache = make()
      await cache.set('tagged', 1, { tags: [label] })
      await cache.set('roomed', 2, { room: label })
      await cache.set('plain', 3, { tags: ['other'], room: 'other' })
      await cache.invalidateTag(label)
      expect(await cache.getMany(['tagged', 'roomed', 'plain'])).toEqual(new Map([['roomed', 2], ['plain', 3]]))
      await cache.invalidateRoom(label)
      expect(await cache.getMany(['roomed', 'plain'])).toEqual(new Map([['plain', 3]]))
    },
  )

  it('takes the same tag twice, and sixty-four of them', async () => {
    const cache = make()
    const many = Array.from({ length: 64 }, (_, i) => `tag-${i}`)
    await cache.set('twice', 1, { tags: ['t', 't'] })
    await cache.set('many', 2, { tags: many })
    await cache.invalidateTag('t')
    await cache.invalidateTag('tag-63')
    expect(await cache.getMany(['twice', 'many'])).toEqual(new Map())
  })

  it('goes by the tags an entry was stored with, whatever later readers name', async () => {
    const cache = make()
    await cache.getOrSet('k', () => 'v', { tags: ['stored'] })
    await cache.getOrSet('k', () => 'never', { tags: ['read'] })
    await cache.invalidateTag('read')
    expect(await cache.get('k')).toBe('v')
    await cache.invalidateTag('stored')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('forgets the old tags of a key that is stored with others', async () => {
    const cache = make()
    await cache.set('k', 1, { tags: ['b', 'c'] })
    await cache.set('k', 2, { tags: ['a', 'b', 'c'] })
    await cache.invalidateTag('b')
    expect(await cache.get('k')).toBeUndefined()
    await cache.set('k', 3, { tags: ['a'] })
    await cache.invalidate({ tags: ['b', 'c'] })
    expect(await cache.get('k')).toBe(3)
  })

  it('leaves the array of tags a caller gave as it is', async () => {
    const cache = make()
    const tags = Object.freeze(['t'])
    await cache.getOrSet('a', (ctx) => (ctx.tags('more'), 1), { tags })
    await cache.getOrSet('b', (ctx) => (ctx.tags('more'), 1), { tags })
    expect(tags).toEqual(['t'])
  })

  it('does not mind when the array of tags is changed after the call', async () => {
    const cache = make()
    const tags = ['t']
    await cache.set('k', 1, { tags })
    tags[0] = 'changed'
    await cache.invalidateTag('t')
    expect(await cache.get('k')).toBeUndefined()
  })
})

describeCaches('tags and rooms that the loader names', ({ make, pass }) => {
  it('counts beside those of the call', async () => {
    for (const target of [{ tag: 'call' }, { tag: 'one' }, { tag: 'two' }, { tag: 'three' }, { room: 'of call' }, { room: 'of loader' }]) {
      const cache = make()
      await cache.getOrSet(
        'k',
        (ctx) => {
          ctx.tags('one', ['two', 'three'])
          ctx.room('of loader')
          return 'v'
        },
        { tags: ['call'], room: 'of call' },
      )
      expect(await cache.get('k')).toBe('v')
      await cache.invalidate(target)
      expect(await cache.get('k'), JSON.stringify(target)).toBeUndefined()
    }
  })

  it('stores nothing under a tag that was invalidated before the loader named it', async () => {
    const cache = make()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    await cache.invalidateTag('late')
    loading.ctx.tags('late')
    loading.succeed('old')
    expect(await call).toBe('old')
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats().fenced).toBe(1)
  })

  it('loads anew for those who joined after such an invalidation', async () => {
    const cache = make()
    const load = heldLoader()
    const early = cache.getOrSet('k', load)
    const first = await load.called(1)
    await cache.invalidateRoom('late')
    const late = cache.getOrSet('k', load)
    await pass(1)
    first.ctx.room('late')
    first.succeed('old')
    expect(await early).toBe('old')
    ;(await load.called(2)).succeed('new')
    expect(await late).toBe('new')
  })

  it('does not mind a tag that was invalidated before the load began', async () => {
    const cache = make()
    await cache.invalidateTag('t')
    await cache.getOrSet('k', (ctx) => (ctx.tags('t'), 'v'))
    expect(await cache.get('k')).toBe('v')
  })

  it('fails the load at a tag or a room that cannot be one, and at one too many', async () => {
    const cache = make()
    const refused = expect.objectContaining({ code: 'TIERCEL_INVALID_TAG' })
    await expect(cache.getOrSet('k', (ctx) => ctx.tags(''))).rejects.toEqual(refused)
    await expect(cache.getOrSet('k', (ctx) => ctx.tags(1 as unknown as string))).rejects.toEqual(refused)
    await expect(cache.getOrSet('k', (ctx) => ctx.room('x'.repeat(1025)))).rejects.toEqual(refused)
    const thirty = Array.from({ length: 30 }, (_, i) => `tag-${i}`)
    const tooMany = cache.getOrSet(
      'k',
      (ctx) => {
        ctx.tags(thirty)
        ctx.tags(thirty.map((tag) => `other-${tag}`))
        return 'v'
      },
      { tags: ['a', 'b', 'c', 'd'], room: 'r' },
    )
    await expect(tooMany).rejects.toEqual(refused)
    const oneRoomTooMany = cache.getOrSet('k', (ctx) => ctx.room('r'), { tags: Array.from({ length: 64 }, (_, i) => `tag-${i}`) })
    await expect(oneRoomTooMany).rejects.toEqual(refused)
  })
})
