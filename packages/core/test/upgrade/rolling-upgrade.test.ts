import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../redis/server/index.js'
import { release, type Difference, type Release } from './another-version.js'
import { ReleaseProcess } from './process.js'

const nextNames: Difference = { file: 'redis/names.ts', from: 'SCHEMA_VERSION = 1', to: 'SCHEMA_VERSION = 2' }
const nextEntries: Difference = { file: 'codec/entry-layout.ts', from: 'entryVersion = 1', to: 'entryVersion = 2' }
const labels = { tags: ['t'], room: 'r' }

describeWithRedis('while processes of two releases share a Redis', () => {
  const releases: Release[] = []
  const processes: ReleaseProcess[] = []
  let redis: RedisServer
  beforeAll(async () => {
    const all = await Promise.all([[], [nextNames], [nextEntries]].map((differences) => release(differences)))
    releases.push(...all)
    redis = await startRedis()
  })
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((each) => each.stop()))
    await redis.cli('FLUSHALL')
  })
  afterAll(async () => {
    await redis.stop()
    await Promise.all(releases.map((each) => each.remove()))
  })

  const run = (which: 'current' | 'next names' | 'next entries'): ReleaseProcess => {
    const { url } = releases[['current', 'next names', 'next entries'].indexOf(which)] as Release
    const started = new ReleaseProcess(url, redis.url)
    processes.push(started)
    return started
  }
  const allWell = { health: { healthy: true }, errors: [] }

  it('with other names, neither reads nor disturbs the other, whatever it does', async () => {
    const [old, next] = [run('current'), run('next names')]
    for (const key of ['a', 'b', 'c']) expect(await old.load(key, `old ${key}`, labels)).toBe(`old ${key}`)
    for (const key of ['a', 'b', 'c']) expect(await next.load(key, `next ${key}`, labels)).toBe(`next ${key}`)
    for (const key of ['a', 'b', 'c']) expect([await old.look(key), await next.look(key)]).toEqual([`old ${key}`, `next ${key}`])
    for (const [method, target] of [
      ['set', 'a'],
      ['invalidate', { key: 'a' }],
      ['expire', { key: 'b' }],
      ['invalidate', { tag: 't' }],
      ['invalidate', { room: 'r' }],
      ['invalidate', { pattern: '*' }],
      ['invalidate', { all: true }],
    ] as const) {
      await next.invoke(method, target, 'x')
      expect(await old.look('a'), JSON.stringify(target)).toBe('old a')
      expect(await old.look('b'), JSON.stringify(target)).toBe('old b')
      expect(await next.load('b', 'next b again', labels), JSON.stringify(target)).not.toMatch(/old/)
    }
    await old.invoke('invalidate', { all: true })
    expect([await old.look('a'), await next.look('b')]).toEqual([undefined, 'next b again'])
    const untouched = { redis: { corruptEntries: 0, foreignMessages: 0, gaps: 0, outages: 0 } }
    for (const each of [old, next]) expect(await each.state()).toMatchObject({ ...allWell, stats: untouched })
    const names = ((await redis.cli('KEYS', '*')) as string[]).map((name) => /^tiercel:(\d):/.exec(name)?.[1])
    expect(new Set(names)).toEqual(new Set(['1', '2']))
  })

  it('with another layout of entries under the same names, each takes the other\'s for a miss and hears of its changes', async () => {
    const [old, next] = [run('current'), run('next entries')]
    for (let round = 0; round < 5; round++) {
      expect(await old.load('k', `old ${round}`, labels)).toBe(`old ${round}`)
      expect(await next.look('k')).toBeUndefined()
      expect(await next.load('k', `next ${round}`, labels)).toBe(`next ${round}`)
      expect(await old.look('k')).toBeUndefined()
      const forgets = round % 2 === 0 ? next : old
      expect(await forgets.invoke('invalidate', round < 3 ? { key: 'k' } : { tag: 't' })).toMatchObject({ durable: true })
      // Until the message has arrived.
      await expect.poll(() => old.invoke('peek', 'k'), { timeout: 30_000 }).toBeUndefined()
      await expect.poll(() => next.invoke('peek', 'k'), { timeout: 30_000 }).toBeUndefined()
    }
    for (const each of [old, next]) {
      const state = await each.state()
      expect(state).toMatchObject({ ...allWell, stats: { redis: { foreignMessages: 0, gaps: 0, outages: 0 } } })
      expect(state.stats.redis.corruptEntries).toBeGreaterThan(0)
    }
  })

  it('of one release, each reads what the other has stored', async () => {
    const [one, other] = [run('current'), run('current')]
    await one.load('k', 'stored', labels)
    expect(await other.look('k')).toBe('stored')
  })
})
