import { expect, it } from 'vitest'
import { describeCaches } from './harness.js'

const refused = expect.objectContaining({ name: 'InvalidTagError', code: 'TIERCEL_INVALID_TAG' })
const badLabels: readonly unknown[] = ['', 5, null, undefined, {}, ['t'], Symbol('t'), '\uD800', 'x'.repeat(1025)]

const named = (labels: readonly unknown[]) => labels.map((label) => [String(label).slice(0, 10), label] as const)

describeCaches('bad tags and rooms', ({ make }) => {
  it.each(named(badLabels))('are refused by every method that takes many: %s', async (_, label) => {
    const cache = make()
    const tags = [label as string]
    await expect(cache.set('k', 1, { tags })).rejects.toEqual(refused)
    await expect(cache.setMany([['k', 1]], { tags })).rejects.toEqual(refused)
    await expect(cache.getOrSet('k', () => 1, { tags })).rejects.toEqual(refused)
    await expect(cache.getOrSetMany(['k'], () => [['k', 1]], { tags })).rejects.toEqual(refused)
    await expect(cache.invalidate({ tags })).rejects.toEqual(refused)
    await expect(cache.invalidate({ rooms: tags })).rejects.toEqual(refused)
    await expect(cache.expire({ tags })).rejects.toEqual(refused)
    expect(await cache.get('k')).toBeUndefined()
  })

  it.each(named(badLabels.filter((label) => label !== undefined && label !== null)))('are refused one by one: %s', async (_, label) => {
    const cache = make()
    await expect(cache.set('k', 1, { room: label as string })).rejects.toEqual(refused)
    await expect(cache.getOrSet('k', () => 1, { room: label as string })).rejects.toEqual(refused)
    await expect(cache.invalidateTag(label as string)).rejects.toEqual(refused)
    await expect(cache.invalidateRoom(label as string)).rejects.toEqual(refused)
  })

  it.each(['t', new Set(['t']), { 0: 't', length: 1 }, null, 5])('are refused when the tags are no array: %s', async (tags) => {
    const cache = make()
    await expect(cache.set('k', 1, { tags: tags as unknown as string[] })).rejects.toEqual(refused)
  })

  it('are refused when there are more than 64', async () => {
    const cache = make()
    const tags = Array.from({ length: 65 }, (_, i) => `tag-${i}`)
    await expect(cache.set('k', 1, { tags })).rejects.toEqual(refused)
    await expect(cache.getOrSet('k', () => 1, { tags })).rejects.toMatchObject({ message: expect.stringContaining('64') })
    expect(await cache.invalidate({ tags })).toMatchObject({ durable: true })
  })
})
