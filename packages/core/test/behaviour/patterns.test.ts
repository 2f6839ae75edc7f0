import { expect, it } from 'vitest'
import { describeCaches } from './harness.js'
import { heldLoader } from './held-loader.js'

const keys = ['user:1', 'user:12', 'user:a', 'users', 'user:', 'USER:1', 'x*y', 'x?y', 'a[b]c', 'back\\slash', 'line\nbreak', '{user}:1', 'über:1']

describeCaches('patterns', ({ make }) => {
  it.each([
    ['user:*', ['user:1', 'user:12', 'user:a', 'user:']],
    ['user:?', ['user:1', 'user:a']],
    ['user:[0-9]', ['user:1']],
    ['user:[9-0]', ['user:1']],
    ['user:[^0-9]', ['user:a']],
    ['user:[a1]*', ['user:1', 'user:12', 'user:a']],
    ['*', keys],
    ['**', keys],
    ['?????', ['users', 'user:', 'a[b]c']],
    ['*1', ['user:1', 'USER:1', '{user}:1', 'über:1']],
    ['*er*', ['user:1', 'user:12', 'user:a', 'users', 'user:', '{user}:1', 'über:1']],
    ['user:1', ['user:1']],
    ['user', []],
    ['x\\*y', ['x*y']],
    ['x\\?y', ['x?y']],
    ['a\\[b]c', ['a[b]c']],
    ['a[[]b[]]c', []],
    ['a[\\[]b]c', ['a[b]c']],
    ['back\\\\slash', ['back\\slash']],
    ['line?break', ['line\nbreak']],
    ['{user}*', ['{user}:1']],
    ['[ü]ber*', ['über:1']],
  ])('drops by %j what matches and nothing else', async (pattern, dropped) => {
    const cache = make()
    await cache.setMany(keys.map((key) => [key, 1]))
    expect(await cache.invalidatePattern(pattern)).toEqual({ durable: true, count: dropped.length })
    expect([...(await cache.getMany(keys)).keys()]).toEqual(keys.filter((key) => !dropped.includes(key)))
  })

  it('reaches loads under way whose key matches, and leaves the others alone', async () => {
    const cache = make()
    const loads = { user: heldLoader(), team: heldLoader() }
    const calls = Promise.all([cache.getOrSet('user:1', loads.user), cache.getOrSet('team:1', loads.team)])
    const [user, team] = [await loads.user.called(), await loads.team.called()]
    await cache.invalidatePattern('user:*')
    user.succeed('old')
    team.succeed('kept')
    expect(await calls).toEqual(['old', 'kept'])
    expect(await cache.getMany(['user:1', 'team:1'])).toEqual(new Map([['team:1', 'kept']]))
  })

  it('matches the keys of its own namespace, as they are written there', async () => {
    const cache = make()
    const users = cache.namespace('users')
    await cache.set('1', 'root')
    await users.set('1', 'below')
    await users.set('2', 'below')
    expect(await cache.invalidatePattern('*')).toEqual({ durable: true, count: 1 })
    expect(await users.get('1')).toBe('below')
    expect(await users.invalidatePattern('1*')).toEqual({ durable: true, count: 1 })
    expect(await users.getMany(['1', '2'])).toEqual(new Map([['2', 'below']]))
  })

  it.each(['', '[', '[a', '[^', '[a\\', 'x'.repeat(1025), 5, {}, true])('refuses the pattern %j', async (pattern) => {
    const cache = make()
    await expect(cache.invalidatePattern(pattern as string)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TARGET' })
  })
})
