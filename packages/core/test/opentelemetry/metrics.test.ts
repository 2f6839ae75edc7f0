import { afterEach, describe, expect, it } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.js'
import { instrument } from '../../src/opentelemetry.js'
import { useTelemetry } from './telemetry.js'

const down = () => Promise.reject(new TypeError('the database of ada@example.com is down'))

describe('metrics of OpenTelemetry', () => {
  const telemetry = useTelemetry()
  const made: Cache[] = []
  afterEach(() => Promise.all(made.splice(0).map((cache) => cache.close())))

  function make(options?: CacheOptions): Cache {
    const cache = createCache({ redis: false, ...options })
    made.push(cache)
    return cache
  }

  it('are what stats() tells at the moment they are collected', async () => {
    const cache = make({ name: 'app', grace: '1h' })
    await instrument(cache, telemetry.providers)
    expect(await telemetry.values('tiercel.misses')).toEqual([0])
    await cache.getOrSet('k', () => 'v', { tags: ['t'] })
    await cache.getOrSet('k', () => 'v')
    await cache.get('k')
    await cache.expire({ tag: 't' })
    await cache.getOrSet('k', down)
    const app = { 'tiercel.namespace': 'app' }
    expect(await telemetry.values('tiercel.hits', { ...app, 'tiercel.tier': 'memory' })).toEqual([2])
    expect(await telemetry.values('tiercel.misses', app)).toEqual([2])
    expect(await telemetry.values('tiercel.loads', app)).toEqual([2])
    expect(await telemetry.values('tiercel.load.failures', app)).toEqual([1])
    expect(await telemetry.values('tiercel.sets', app)).toEqual([1])
    expect(await telemetry.values('tiercel.stale', app)).toEqual([1])
    expect(await telemetry.values('tiercel.invalidations', app)).toEqual([1])
    expect(await telemetry.values('tiercel.memory.entries', app)).toEqual([1])
    expect(await telemetry.values('tiercel.memory.entries.limit', app)).toEqual([10_000])
    expect(await telemetry.values('tiercel.memory.usage', app)).toEqual([cache.stats().memory.bytes])
    expect(await telemetry.values('tiercel.memory.limit', app)).toEqual([32 * 2 ** 20])
    expect(await telemetry.values('tiercel.healthy', app)).toEqual([1])
  })

  it('have a histogram of the seconds that loads took which ended well', async () => {
    const cache = make()
    await instrument(cache, telemetry.providers)
    const seen: number[] = []
    cache.on('load', ({ durationMs }) => seen.push(durationMs / 1000))
    await cache.getOrSet('a', () => 'v')
    await cache.getOrSet('b', () => 'v')
    await cache.getOrSet('c', down).catch(() => {})
    const [durations] = await telemetry.values('tiercel.load.duration', { 'tiercel.load.background': false })
    expect(durations).toMatchObject({ count: 2, sum: seen.reduce((sum, each) => sum + each), buckets: { boundaries: expect.arrayContaining([0.005, 10]) as number[] } })
  })

  it('count errors by what happened and by their class, and never by their message', async () => {
    const cache = make({ grace: '1h' })
    await instrument(cache, telemetry.providers)
    await cache.set('k', 'v')
    await cache.expire({ key: 'k' })
    await cache.getOrSet('k', down)
    await cache.set('f', () => {})
    const { dataPoints } = (await telemetry.metrics()).get('tiercel.errors') ?? {}
    expect(dataPoints).toMatchObject([
      { value: 1, attributes: { 'tiercel.namespace': 'tiercel', 'tiercel.during': 'load', 'error.type': 'TypeError' } },
      { value: 1, attributes: { 'tiercel.namespace': 'tiercel', 'tiercel.during': 'store', 'error.type': 'TIERCEL_UNCACHEABLE' } },
    ])
  })

  it('tell nothing of Redis where there is none', async () => {
    await instrument(make(), telemetry.providers)
    const names = [...(await telemetry.metrics()).keys()]
    expect(names).toContain('tiercel.hits')
    expect(names.filter((name) => /redis|audit/.test(name))).toEqual([])
    expect(await telemetry.values('tiercel.hits', { 'tiercel.tier': 'redis' })).toEqual([])
  })

  it('of two caches are told apart by their namespace', async () => {
    const [one, two] = [make({ name: 'one' }), make({ name: 'two' })]
    await instrument(one, telemetry.providers)
    await instrument(two, telemetry.providers)
    await one.get('k')
    await two.get('k')
    await two.get('k')
    expect(await telemetry.values('tiercel.misses', { 'tiercel.namespace': 'one' })).toEqual([1])
    expect(await telemetry.values('tiercel.misses', { 'tiercel.namespace': 'two' })).toEqual([2])
  })

  it('of a namespace are those of that one and below, without what there is once for the whole cache', async () => {
    const cache = make()
    await instrument(cache.namespace('users'), telemetry.providers)
    await cache.get('k')
    await cache.namespace('users').namespace('admins').getOrSet('k', () => 'v')
    const users = { 'tiercel.namespace': 'tiercel:users' }
    expect(await telemetry.values('tiercel.misses', users)).toEqual([1])
    expect(await telemetry.values('tiercel.load.duration', users)).toMatchObject([{ count: 1 }])
    expect(await telemetry.values('tiercel.memory.entries')).toEqual([])
  })

  it('never have more series, however many keys, tags and namespaces there are', async () => {
    const cache = make()
    await instrument(cache, telemetry.providers)
    const series = async () => [...(await telemetry.metrics()).values()].reduce((sum, { dataPoints }) => sum + dataPoints.length, 0)
    const use = (name: string) => cache.namespace(name).getOrSet(`key ${name}`, () => 'v', { tags: [`tag ${name}`], room: `room ${name}` })
    await use('first')
    const before = await series()
    for (let i = 0; i < 100; i++) await use(String(i))
    expect(await series()).toBe(before)
    expect(await telemetry.prometheus()).not.toMatch(/key|tag |room /)
  })

  it('count once what was instrumented twice', async () => {
    const cache = make()
    await instrument(cache, telemetry.providers)
    await instrument(cache, telemetry.providers)
    await cache.getOrSet('k', () => 'v')
    expect(await telemetry.values('tiercel.misses')).toEqual([1])
    expect(await telemetry.values('tiercel.load.duration')).toMatchObject([{ count: 1 }])
  })

  it.each(['stop', 'dispose', 'close'] as const)('end with %s', async (end) => {
    const cache = make()
    const instrumentation = await instrument(cache.namespace('users'), telemetry.providers)
    await cache.namespace('users').getOrSet('k', () => 'v')
    if (end === 'stop') instrumentation.stop()
    else if (end === 'dispose') instrumentation[Symbol.dispose]()
    else await cache.close()
    if (end !== 'close') await cache.namespace('users').getOrSet('k2', () => 'v')
    expect(await telemetry.values('tiercel.misses')).toEqual([])
    expect(await telemetry.values('tiercel.load.duration')).toMatchObject([{ count: 1 }])
  })
})
