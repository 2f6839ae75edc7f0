import { expect, it } from 'vitest'
import { TiercelError } from '../../src/index.js'
import { describeCaches } from './harness.js'

const refused = expect.objectContaining({ name: 'InvalidArgumentError', code: 'TIERCEL_INVALID_ARGUMENT' })

describeCaches('bad arguments', ({ make }) => {
  it.each([undefined, null, 'load', {}, 5, Promise.resolve(1)])('are refused: %s for a loader', async (load) => {
    const cache = make()
    await expect(cache.getOrSet('k', load as () => number)).rejects.toEqual(refused)
    await expect(cache.getOrSetMany(['k'], load as () => [])).rejects.toEqual(refused)
  })

  it.each([undefined, null, 'abc', 5, {}, new WeakSet()])('are refused: %s for a list of keys or entries', async (list) => {
    const cache = make()
    await expect(cache.getMany(list as string[])).rejects.toEqual(refused)
    await expect(cache.getOrSetMany(list as string[], () => [])).rejects.toEqual(refused)
    await expect(cache.setMany(list as [])).rejects.toEqual(refused)
  })

  it.each([undefined, 'abc', 5, {}])('are refused: %s for keys to delete', async (list) => {
    const cache = make()
    await expect(cache.deleteMany(list as string[])).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TARGET' })
  })

  it.each([['ab'], [5], [null], [undefined], [{ 0: 'k', 1: 'v' }]])('are refused: %s for an entry', async (pair) => {
    const cache = make()
    await expect(cache.setMany([pair as unknown as [string, unknown]])).rejects.toEqual(refused)
  })

  it('give errors that tell what they are, whichever copy of the package threw them', async () => {
    const error: unknown = await make().get('').catch((thrown: unknown) => thrown)
    expect(TiercelError.is(error)).toBe(true)
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toMatch(/^InvalidKeyError: /)
    expect(TiercelError.is(new Error('other'))).toBe(false)
    expect([undefined, null, 'TIERCEL_CLOSED', { code: 'TIERCEL_CLOSED' }].some((other) => TiercelError.is(other))).toBe(false)
    const fromOtherCopy = Object.assign(new Error('closed'), { [Symbol.for('tiercel.error')]: true, code: 'TIERCEL_CLOSED' })
    expect(TiercelError.is(fromOtherCopy)).toBe(true)
  })
})
