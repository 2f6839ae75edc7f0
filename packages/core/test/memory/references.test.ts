import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.js'

class Trip {
  constructor(readonly id: string) {}
  get title(): string {
    return `Trip ${this.id}`
  }
}

describe('values in memory', () => {
  it('are the very objects that were stored, for everybody', async () => {
    const cache = createCache()
    const value = { list: [1] }
    await cache.set('set', value)
    expect(await cache.get('set')).toBe(value)
    expect(cache.peek('set')).toBe(value)
    expect(await cache.getOrSet('set', () => ({ list: [2] }))).toBe(value)
    const [one, two] = await Promise.all([cache.getOrSet('loaded', () => ({ n: 1 })), cache.getOrSet('loaded', () => ({ n: 2 }))])
    expect(one).toBe(two)
    expect(await cache.get('loaded')).toBe(one)
  })

  it('keep their class', async () => {
    const cache = createCache()
    const trip = await cache.getOrSet('trip', () => new Trip('1'))
    expect((await cache.getOrSet('trip', () => new Trip('2'))).title).toBe('Trip 1')
    expect(await cache.get('trip')).toBe(trip)
  })

  it('are other objects for every reader with clone, and plain where they had a class', async () => {
    const cache = createCache({ clone: true })
    await cache.set('trip', new Trip('1'))
    const one = await cache.get('trip')
    expect(one).toEqual({ id: '1' })
    expect(one).not.toBeInstanceOf(Trip)
    expect(await cache.get('trip')).not.toBe(one)
    expect(cache.peek('trip')).not.toBe(cache.peek('trip'))
  })
})
