import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'

describeCaches('wrap', ({ make, pass }) => {
  it('caches what a function returns, by the key of its arguments', async () => {
    const cache = make()
    const load = vi.fn(async (id: number, upper: boolean) => (upper ? `USER ${id}` : `user ${id}`))
    const user = cache.wrap(load, { key: (id, upper) => `user:${id}:${upper}` })
    expect(await user(1, true)).toBe('USER 1')
    expect(await user(1, true)).toBe('USER 1')
    expect(await user(1, false)).toBe('user 1')
    expect(load.mock.calls).toEqual([[1, true], [1, false]])
    expect(user.key(1, true)).toBe('user:1:true')
    expect(await cache.get('user:1:true')).toBe('USER 1')
  })

  it('forgets what a call with these arguments gave', async () => {
    const cache = make()
    const load = vi.fn((id: number) => id)
    const user = cache.wrap(load, { key: (id) => `user:${id}` })
    await Promise.all([user(1), user(2)])
    expect(await user.invalidate(1)).toEqual({ durable: true, count: 1 })
    await Promise.all([user(1), user(2)])
    expect(load.mock.calls).toEqual([[1], [2], [1]])
  })

  it('runs the function once for concurrent calls, and shares its failure', async () => {
    const cache = make()
    const load = vi.fn(() => Promise.reject(new Error('down')))
    const wrapped = cache.wrap(load, { key: () => 'k' })
    const results = await Promise.allSettled([wrapped(), wrapped(), wrapped()])
    expect(results.every((result) => result.status === 'rejected' && String(result.reason) === 'Error: down')).toBe(true)
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('always returns a promise, also from a function that returns or throws at once', async () => {
    const cache = make()
    expect(await cache.wrap(() => 1, { key: () => 'k' })()).toBe(1)
    const throwing = cache.wrap(
      (): number => {
        throw new Error('at once')
      },
      { key: () => 'other' },
    )
    await expect(throwing()).rejects.toThrow('at once')
  })

  it('calls the function on the object the wrapped one was called on', async () => {
    const cache = make()
    const users = {
      prefix: 'user',
      find: cache.wrap(
        function (this: unknown, id: number) {
          return `${(this as { prefix: string }).prefix} ${id}`
        },
        { key: (id) => `user:${id}` },
      ),
    }
    expect(await users.find(1)).toBe('user 1')
  })

  it('takes the options of a call, and tags and a room by the arguments', async () => {
    const cache = make()
    const load = vi.fn((id: number) => id)
    const user = cache.wrap(load, { key: (id) => `user:${id}`, ttl: '10s', tags: (id) => ['users', `user-${id}`], room: (id) => `room-${id % 2}` })
    const fixed = cache.wrap(load, { key: (id) => `fixed:${id}`, tags: ['fixed'], room: 'lobby' })
    const call = async () => [await user(1), await user(2), await fixed(1)]
    await call()
    expect(await cache.ttl('user:1')).toBe(10_000)
    await cache.invalidateTag('user-1')
    await call()
    await cache.invalidateRoom('room-0')
    await call()
    await cache.invalidateTag('fixed')
    await call()
    await cache.invalidateRoom('lobby')
    await call()
    expect(load.mock.calls.flat()).toEqual([1, 2, 1, 1, 2, 1, 1])
    await cache.invalidateTag('users')
    await call()
    expect(load.mock.calls.flat().slice(7)).toEqual([1, 2])
    await pass(10_000)
    await user(1)
    expect(load).toHaveBeenCalledTimes(10)
  })

  it('caches in its namespace', async () => {
    const cache = make()
    const user = cache.namespace('users').wrap((id: string) => id, { key: (id) => id })
    await user('1')
    expect(await cache.get('1')).toBeUndefined()
    expect(await cache.namespace('users').get('1')).toBe('1')
  })

  it('rejects a call whose key throws or is none', async () => {
    const cache = make()
    const throwing = cache.wrap((id: string) => id, {
      key: () => {
        throw new Error('no key')
      },
    })
    await expect(throwing('1')).rejects.toThrow('no key')
    await expect(throwing.invalidate('1')).rejects.toThrow('no key')
    const none = cache.wrap((id: string) => id, { key: (id) => id })
    await expect(none('')).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
  })

  it('refuses options that a call would refuse, where it is wrapped', () => {
    const cache = make()
    const refused = expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' })
    expect(() => cache.wrap(() => 1, { key: () => 'k', ttl: -1 })).toThrow(refused)
    expect(() => cache.wrap(() => 1, { key: () => 'k', tll: 1 } as { key: () => string })).toThrow(refused)
  })

  it('needs a function for the key', () => {
    const cache = make()
    const refused = expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining('key') })
    expect(() => cache.wrap(() => 1, {} as { key: () => string })).toThrow(refused)
    expect(() => cache.wrap(() => 1, { key: 'k' as unknown as () => string })).toThrow(refused)
    expect(() => cache.wrap(() => 1, undefined as unknown as { key: () => string })).toThrow(refused)
  })

  it('refuses what is no function to wrap, as an argument', () => {
    const cache = make()
    const notOne = undefined as unknown as () => number
    expect(() => cache.wrap(notOne, { key: () => 'k' })).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
  })
})
