import { expect, it } from 'vitest'
import type { InvalidateTarget } from '../../src/index.js'
import { describeCaches } from './harness.js'

describeCaches('bad targets', ({ make }) => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'user:1'],
    ['an empty object', {}],
    ['an empty array', []],
    ['a name it does not know', { id: '1' }],
    ['a name it does not know beside one it knows', { key: 'k', rom: 'r' }],
    ['a lost key', { key: undefined }],
    ['a lost room beside a key', { key: 'k', room: undefined }],
    ['a tag that is null', { tag: null }],
    ['keys that are a string', { keys: 'abc' }],
    ['keys that are a number', { keys: 5 }],
    ['tags that are an object', { tags: { 0: 't' } }],
    ['rooms that are a string', { rooms: 'r' }],
    ['all that is false', { all: false }],
    ['all that is no boolean', { all: 'yes' }],
    ['all that is 1', { all: 1 }],
    ['a pattern that is empty', { pattern: '' }],
    ['a pattern that is no string', { pattern: /a/ }],
  ])('are refused with a coded error, and drop nothing: %s', async (_, target) => {
    const cache = make()
    await cache.set('k', 1, { tags: ['t'], room: 'r' })
    const refused = { name: 'InvalidTargetError', code: 'TIERCEL_INVALID_TARGET' }
    await expect(cache.invalidate(target as InvalidateTarget)).rejects.toMatchObject(refused)
    await expect(cache.expire(target as InvalidateTarget)).rejects.toMatchObject(refused)
    expect(await cache.get('k')).toBe(1)
  })

  it('may name nothing by an empty list, or say that not all is meant', async () => {
    const cache = make()
    await cache.set('k', 1)
    expect(await cache.invalidate({ keys: [] })).toMatchObject({ durable: true })
    expect(await cache.invalidate({ tags: [], rooms: new Set() })).toMatchObject({ durable: true })
    expect(await cache.invalidate({ key: 'other', all: false })).toMatchObject({ durable: true })
    expect(await cache.get('k')).toBe(1)
  })
})
