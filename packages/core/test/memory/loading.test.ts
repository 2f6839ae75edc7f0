import { describe, expect, it } from 'vitest'
import { isLoading } from '../../src/connection.js'
import { createCache } from '../../src/index.js'

describe('a load under way', () => {
  it('is known to be one until it has ended, and to whom its value will do', async () => {
    const users = createCache({ redis: false }).namespace('users')
    let finish = () => {}
    const database = new Promise<void>((resolve) => (finish = resolve))
    const load = () => database.then(() => 'Ada')
    expect(isLoading(users, 'u1')).toBe(false)
    const first = users.getOrSet('u1', load)
    expect([isLoading(users, 'u1'), isLoading(users, 'u2')]).toEqual([true, false])
    await users.invalidate({ key: 'u1' })
    // A call that begins now must not be given a value from before.
    expect(isLoading(users, 'u1')).toBe(false)
    const second = users.getOrSet('u1', load)
    expect(isLoading(users, 'u1')).toBe(true)
    finish()
    await Promise.all([first, second])
    expect(isLoading(users, 'u1')).toBe(false)
  })

  it('is not one that others may not be given, nor one of a cache of another copy of the package', () => {
    const cache = createCache({ redis: false })
    void cache.getOrSet('u1', () => new Promise(() => {}), { bypass: 'both' })
    expect(isLoading(cache, 'u1')).toBe(false)
    void cache.getOrSet('u2', () => new Promise(() => {}))
    expect(isLoading(new Proxy(cache, {}), 'u2')).toBe(false)
  })
})
