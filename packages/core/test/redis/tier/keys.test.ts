import { createHash } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { heldLoader } from '../../behaviour/held-loader.js'
import { describeWithRedis } from '../server/index.js'
import { soon, useTier } from './tier.js'

describeWithRedis('what is in Redis', () => {
  const tier = useTier()
  const left = (name: string) => tier.redis.cli('PTTL', name).then(Number)

  it('has the names that are documented', async () => {
    const cache = await tier.open({ prefix: 'app:', name: 'shop' })
    await cache.set('user:1', { name: 'Ada' }, { tags: ['users'], room: 'lobby' })
    const names = ['app:shop:1:bus:seq', 'app:shop:1:g', 'app:shop:1:run', 'app:shop:1:t:@lobby', 'app:shop:1:t:users', 'app:shop:1:{user:1}:v']
    expect(await tier.names()).toEqual(names)
    expect(await tier.redis.cli('GETRANGE', 'app:shop:1:{user:1}:v', -14, -1)).toBe('{"name":"Ada"}')
    expect(await tier.redis.cli('GETRANGE', 'app:shop:1:{user:1}:v', 0, 1)).toBe('Tc')
    expect(await tier.redis.cli('GET', 'app:shop:1:run')).toBe(/run_id:(\w+)/.exec(String(await tier.redis.cli('INFO', 'server')))?.[1])
  })

  it('keeps what is of a namespace under its path, and the bus and run of all under the first level', async () => {
    const cache = await tier.open({ name: 'shop:eu' })
    await cache.namespace('carts').set('k', 1, { tags: ['t'] })
    expect(await tier.names()).toEqual([
      'shop:1:bus:seq',
      'shop:1:g',
      'shop:1:run',
      'shop:eu:1:g',
      'shop:eu:carts:1:g',
      'shop:eu:carts:1:t:t',
      'shop:eu:carts:1:{k}:v',
    ])
  })

  it.each([
    ['a{b}c', 'a%7Bb%7Dc'],
    ['100%', '100%25'],
    ['line\nbreak\0', 'line%0Abreak%00'],
    ['\u007f', '%7F'],
    ['Zürich *?[x] @ : 🦅', 'Zürich *?[x] @ : 🦅'],
    ['@home', '@home'],
  ])('encodes the key %j', async (key, encoded) => {
    const cache = await tier.open()
    await cache.set(key, 'v')
    expect(await tier.names()).toContain(`tiercel:1:{${encoded}}:v`)
    expect(await (await tier.open()).get(key)).toBe('v')
  })

  it('tells tags from rooms, whatever they begin with', async () => {
    const cache = await tier.open()
    await cache.set('k', 1, { tags: ['@home', 'home', '{x}'], room: 'home' })
    const tokens = (await tier.names()).filter((name) => name.startsWith('tiercel:1:t:'))
    expect(tokens).toEqual(['tiercel:1:t:%40home', 'tiercel:1:t:%7Bx%7D', 'tiercel:1:t:@home', 'tiercel:1:t:home'])
  })

  it('shortens a long key, tag or room to its beginning and a hash of all of it', async () => {
    const long = `user:${'x'.repeat(300)}`
    const hash = (text: string) => `${text.slice(0, 100)}%#${createHash('sha256').update(text).digest('base64url')}`
    const cache = await tier.open()
    await cache.set(long, 'v', { tags: [long] })
    await cache.set(`${long}y`, 'w')
    const names = await tier.names()
    expect(names).toEqual(expect.arrayContaining([`tiercel:1:{${hash(long)}}:v`, `tiercel:1:{${hash(`${long}y`)}}:v`, `tiercel:1:t:${hash(long)}`]))
    expect(await (await tier.open()).getMany([long, `${long}y`])).toEqual(new Map([[long, 'v'], [`${long}y`, 'w']]))
  })

  it('has an entry for as long as its TTL and grace last', async () => {
    const cache = await tier.open()
    await cache.set('set', 1, { ttl: '1m', grace: '1h' })
    await cache.getOrSet('loaded', () => 1, { ttl: '2m' })
    await cache.touch('set', '5m')
    const [set, loaded] = [await left('tiercel:1:{set}:v'), await left('tiercel:1:{loaded}:v')]
    expect(set).toBeGreaterThan(65 * 60_000 - 10_000)
    expect(set).toBeLessThanOrEqual(65 * 60_000)
    expect(loaded).toBeGreaterThan(110_000)
    expect(loaded).toBeLessThanOrEqual(120_000)
  })

  it('has a lease while a load runs, for 3 seconds at most, and none afterwards', async () => {
    const cache = await tier.open()
    const load = heldLoader()
    const call = cache.getOrSet('k', load)
    const loading = await load.called()
    const lease = await left('tiercel:1:{k}:l')
    expect(lease).toBeGreaterThan(0)
    expect(lease).toBeLessThanOrEqual(3000)
    loading.succeed('v')
    await call
    expect(await tier.names()).not.toContain('tiercel:1:{k}:l')
  })

  it.each([
    ['fails', () => Promise.reject(new Error('down'))],
    ['gives nothing', () => undefined],
    ['gives what cannot be kept', () => Symbol('live')],
  ])('has no lease any more when a load %s', async (_, load: () => unknown) => {
    const cache = await tier.open()
    await cache.getOrSet('k', load).catch(() => {})
    await vi.waitUntil(async () => !(await tier.names()).includes('tiercel:1:{k}:l'), soon)
    expect(await tier.names()).not.toContain('tiercel:1:{k}:v')
  })

  it('ends by itself, all of it but the note of the run', async () => {
    const cache = await tier.open({ grace: '1h' })
    const users = cache.namespace('users')
    const held = heldLoader()
    void users.getOrSet('held', held)
    await held.called()
    await cache.set('a', 1, { tags: ['t'], room: 'r' })
    await users.setMany([['a', 1], ['b', 2]], { tags: ['t'] })
    await cache.getOrSet('c', (ctx) => (ctx.tags('late'), ctx.room('late'), 1))
    await cache.getOrSetMany(['d', 'e'], (missing) => missing.map((key) => [key, key]))
    await cache.touch('a', '1m')
    await cache.expire({ tag: 't' })
    await users.expire({ all: true })
    await cache.invalidate({ pattern: 'a*', room: 'r', key: 'b' })
    const names = await tier.names()
    expect(names.length).toBeGreaterThan(10)
    const endless: string[] = []
    for (const name of names) if ((await left(name)) === -1) endless.push(name)
    expect(endless).toEqual(['tiercel:1:run'])
  })

  it('has no note of the run when entries are to outlive a failover', async () => {
    const cache = await tier.open({ failover: 'keep' })
    await cache.set('k', 1)
    expect(await tier.names()).not.toContain('tiercel:1:run')
  })

  it('is that of one prefix and name, and of the database that the URL names', async () => {
    const one = await tier.open()
    const others = [await tier.open({ prefix: 'x:' }), await tier.open({ name: 'other' }), await tier.open({ redis: `${tier.redis.url}/3` })]
    await one.set('k', 'one')
    for (const other of others) {
      expect(await other.get('k')).toBeUndefined()
      await other.invalidate({ all: true })
    }
    expect(await (await tier.open()).get('k')).toBe('one')
    await tier.redis.cli('SELECT', 3)
    const inThird = await tier.names()
    await tier.redis.cli('SELECT', 0)
    expect(inThird).toContain('tiercel:1:bus:seq')
    expect(inThird).not.toContain('tiercel:1:{k}:v')
  })

  it('is not written by calls that leave Redis out, and is all that is written by those that leave memory out', async () => {
    const cache = await tier.open()
    await cache.set('here', 1, { redis: false })
    await cache.getOrSet('here too', () => 1, { redis: false })
    await cache.set('there', 1, { memory: false })
    expect((await tier.names()).filter((name) => name.endsWith(':v'))).toEqual(['tiercel:1:{there}:v'])
    expect([cache.peek('here'), cache.peek('here too'), cache.peek('there')]).toEqual([1, 1, undefined])
    expect(await cache.get('there', { memory: false })).toBe(1)
    expect(cache.peek('there')).toBeUndefined()
  })
})
