import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'
import { heldLoader } from './held-loader.js'

const refused = expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' })

describeCaches('namespaces', ({ make, pass }) => {
  it('keeps keys, tags and rooms of its own', async () => {
    const cache = make()
    const users = cache.namespace('users')
    const teams = cache.namespace('teams')
    for (const each of [cache, users, teams]) await each.set('k', each.name, { tags: ['t'], room: 'r' })
    await users.invalidateTag('t')
    expect([await cache.get('k'), await users.get('k'), await teams.get('k')]).toEqual(['tiercel', undefined, 'tiercel:teams'])
    await teams.invalidateRoom('r')
    await cache.delete('k')
    expect([await cache.get('k'), await teams.get('k')]).toEqual([undefined, undefined])
    await users.set('k', 1)
    await cache.invalidateTag('t')
    await cache.invalidatePattern('*')
    expect(await users.get('k')).toBe(1)
  })

  it('is named by its path', () => {
    const cache = make({ name: 'app' })
    expect(cache.name).toBe('app')
    expect(cache.namespace('users').name).toBe('app:users')
    expect(cache.namespace('users').namespace('admins').name).toBe('app:users:admins')
    expect(make().name).toBe('tiercel')
    expect(make({ name: 'app:eu' }).namespace('users').name).toBe('app:eu:users')
  })

  it('is the same object for the same name, however it is reached', () => {
    const cache = make()
    const users = cache.namespace('users')
    const admins = users.namespace('admins')
    expect(cache.namespace('users')).toBe(users)
    expect(cache.namespace('users:admins')).toBe(admins)
    expect(cache.namespace('teams')).not.toBe(users)
  })

  it('loads once for all who reach it, through whichever object', async () => {
    const cache = make()
    const load = heldLoader()
    const calls = Promise.all(Array.from({ length: 50 }, () => cache.namespace('users').getOrSet('k', load)))
    ;(await load.called()).succeed('v')
    expect(new Set(await calls)).toEqual(new Set(['v']))
    expect(load.calls).toHaveLength(1)
  })

  it('forgets all below it with `all`, and nothing above or beside it', async () => {
    const cache = make()
    const users = cache.namespace('users')
    const admins = users.namespace('admins')
    const usersToo = cache.namespace('users2')
    const all = [cache, users, admins, usersToo]
    for (const each of all) await each.set('k', 1)
    await users.invalidate({ all: true })
    expect(await Promise.all(all.map((each) => each.has('k')))).toEqual([true, false, false, true])
    for (const each of all) await each.set('k', 2)
    await cache.invalidate({ all: true })
    expect(await Promise.all(all.map((each) => each.has('k')))).toEqual([false, false, false, false])
  })

  it('keeps out loads below it that began before `all`', async () => {
    const cache = make()
    const load = heldLoader()
    const call = cache.namespace('users').namespace('admins').getOrSet('k', load)
    const loading = await load.called()
    await cache.invalidate({ all: true })
    loading.succeed('old')
    expect(await call).toBe('old')
    expect(await cache.namespace('users:admins').get('k')).toBeUndefined()
  })

  it('expires all below it, and keeps that for grace', async () => {
    const cache = make({ grace: '1h' })
    const users = cache.namespace('users')
    await users.set('k', 'old')
    await cache.expire({ all: true })
    expect(await users.get('k')).toBeUndefined()
    expect(await users.getOrSet('k', () => Promise.reject(new Error('down')))).toBe('old')
  })

  it('takes its defaults from above and its own options before them', async () => {
    const cache = make({ ttl: '1m', grace: '1h' })
    const users = cache.namespace('users', { ttl: '2m' })
    const admins = users.namespace('admins', { ttl: '3m' })
    const others = users.namespace('others')
    for (const each of [cache, users, admins, others]) await each.set('k', 1)
    expect(await Promise.all([cache, users, admins, others].map((each) => each.ttl('k')))).toEqual([60_000, 120_000, 180_000, 120_000])
    await pass(180_000)
    expect(await admins.getOrSet('k', () => Promise.reject(new Error('down')))).toBe(1)
  })

  it('can be given its options after it was opened, once, and passes them on to those below', async () => {
    const cache = make()
    const admins = cache.namespace('users:admins')
    const users = cache.namespace('users')
    expect(cache.namespace('users', { ttl: '1m' })).toBe(users)
    expect(cache.namespace('users', { ttl: '1m' })).toBe(users)
    expect(cache.namespace('users')).toBe(users)
    await admins.set('k', 1)
    expect(await admins.ttl('k')).toBe(60_000)
    expect(() => cache.namespace('users', { ttl: '2m' })).toThrow(refused)
    expect(() => cache.namespace('users', {})).toThrow(refused)
    await users.set('k', 1)
    expect(await users.ttl('k')).toBe(60_000)
  })

  it('refuses options it does not have or that contradict each other or those above', () => {
    const cache = make({ ttl: '10m', refresh: 0.5 })
    expect(() => cache.namespace('a', { tll: 5 } as object)).toThrow(refused)
    expect(() => cache.namespace('a', { memory: false } as object)).toThrow(refused)
    expect(() => cache.namespace('a', { ttl: -1 })).toThrow(refused)
    expect(() => cache.namespace('a', { grace: '1s' })).toThrow(refused)
    expect(() => cache.namespace('a', null as unknown as object)).toThrow(refused)
    expect(() => cache.namespace('a', { grace: '5m' })).not.toThrow()
  })

  it('takes options for ten thousand namespaces and no more, and opens others without', () => {
    const cache = make()
    for (let i = 0; i < 10_000; i++) cache.namespace(`n${i}`, { ttl: '1m' })
    expect(() => cache.namespace('one-more', { ttl: '1m' })).toThrow(refused)
    expect(() => cache.namespace('n5', { ttl: '1m' })).not.toThrow()
    expect(cache.namespace('one-more').name).toBe('tiercel:one-more')
  })

  it('leaves a namespace as it was when its new options do not fit one below it', async () => {
    const cache = make()
    const below = cache.namespace('a:b', { grace: '3m', refresh: 0.5 })
    const above = cache.namespace('a')
    expect(() => cache.namespace('a', { ttl: '1h' })).toThrow(refused)
    await above.set('k', 1)
    await below.set('k', 1)
    expect([await above.ttl('k'), await below.ttl('k')]).toEqual([300_000, 300_000])
  })

  const badNames = ['', ':', 'a:', ':a', 'a::b', 'a b', 'a/b', 'ü', '*', '{a}', 'a\n', '\0', 'x'.repeat(65), 5, ['a'], true]

  it.each([...badNames, null, undefined])('refuses the name %j', (name) => {
    expect(() => make().namespace(name as string)).toThrow(refused)
  })

  it.each(badNames)('refuses the name %j for the cache itself', (name) => {
    expect(() => make({ name: name as string })).toThrow(refused)
  })

  it('takes names of letters, digits, dots, underscores and hyphens, eight levels deep', () => {
    const cache = make()
    expect(cache.namespace('A-z_0.9').name).toBe('tiercel:A-z_0.9')
    expect(cache.namespace('x'.repeat(64)).name).toHaveLength(72)
    expect(cache.namespace('1:2:3:4:5:6:7').name).toBe('tiercel:1:2:3:4:5:6:7')
    expect(() => cache.namespace('1:2:3:4:5:6:7:8:9')).toThrow(refused)
  })

  it('nests no deeper when it is opened level by level', () => {
    const cache = make()
    expect(() => cache.namespace('1:2:3:4').namespace('5:6:7:8').namespace('9')).toThrow(refused)
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('takes the name %s like any other', async (name) => {
    const cache = make()
    const odd = cache.namespace(name)
    await odd.set(name, 1)
    expect(await odd.get(name)).toBe(1)
    expect(await cache.get(name)).toBeUndefined()
  })

  it('does not confuse a key that looks like the inside of another namespace', async () => {
    const cache = make()
    const users = cache.namespace('users')
    await users.set('k', 'inside')
    for (const key of ['users:k', 'tiercel:users:k', '\0tiercel:users\0k', 'users\0k', '\0\0k', '\0k']) {
      expect(await cache.get(key), JSON.stringify(key)).toBeUndefined()
      await cache.set(key, key)
      expect(await cache.get(key)).toBe(key)
    }
    expect(await users.get('k')).toBe('inside')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('counts and tells what happens in it and below it, not beside or above it', async () => {
    const cache = make()
    const users = cache.namespace('users')
    const admins = users.namespace('admins')
    const events = heard(users, 'set')
    for (const each of [cache, users, admins, cache.namespace('users2')]) {
      await each.set('k', 1)
      await each.get('k')
      await each.get('missing')
    }
    expect(events.map(({ namespace }) => namespace)).toEqual(['tiercel:users', 'tiercel:users:admins'])
    expect([cache.stats().sets, users.stats().sets, admins.stats().sets]).toEqual([4, 2, 1])
    expect([cache.stats().misses, users.stats().misses, admins.stats().misses]).toEqual([4, 2, 1])
    expect(users.stats().hitRatio).toBe(0.5)
  })

  it('is closed with the cache and not by itself', async () => {
    const cache = make()
    const users = cache.namespace('users')
    const load = vi.fn(() => 1)
    await users.close()
    expect(await users.getOrSet('k', load)).toBe(1)
    await cache.close()
    await expect(users.get('k')).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
    expect(() => users.namespace('admins')).toThrow(expect.objectContaining({ code: 'TIERCEL_CLOSED' }))
  })
})
