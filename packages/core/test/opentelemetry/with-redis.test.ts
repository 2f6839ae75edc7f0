import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { expect, it, vi } from 'vitest'
import { hasHeardAll } from '../../src/connection.js'
import { instrument } from '../../src/opentelemetry.js'
import { heldLoader } from '../behaviour/held-loader.js'
import { describeWithRedis, startProxy } from '../redis/server/index.js'
import { soon, useTier } from '../redis/tier/tier.js'
import { useTelemetry } from './telemetry.js'

describeWithRedis('OpenTelemetry of a cache with Redis', () => {
  const tier = useTier()
  const telemetry = useTelemetry()
  const ample = { deadline: '10s', connectTimeout: '10s', maxStaleness: '1m' } as const

  const reads = () => telemetry.spans().filter(({ name }) => name === 'tiercel.read').map(({ attributes }) => attributes['tiercel.read.result'])

  it('tells hits by tier, and what there is to tell of Redis', async () => {
    const [a, b] = [await tier.open(ample), await tier.open(ample)]
    await instrument(b, telemetry.providers)
    await a.set('k', 'v')
    await hasHeardAll(b)
    await b.get('k')
    await b.get('k')
    expect(await telemetry.values('tiercel.hits', { 'tiercel.tier': 'memory' })).toEqual([1])
    expect(await telemetry.values('tiercel.hits', { 'tiercel.tier': 'redis' })).toEqual([1])
    expect(await telemetry.values('tiercel.redis.up')).toEqual([1])
    expect(await telemetry.values('tiercel.redis.journal')).toEqual([0])
    await vi.waitFor(async () => {
      const [lag] = await telemetry.values('tiercel.redis.confirmation.duration')
      expect(lag).toBe((b.health().redis?.confirmationMs ?? Number.NaN) / 1000)
    }, soon)
  })

  it('makes a span of every read that goes to Redis, and of none that memory answers', async () => {
    const [a, b] = [await tier.open(ample), await tier.open(ample)]
    await a.setMany([['get', 'v'], ['getOrSet', 'v']])
    await hasHeardAll(b)
    await instrument(b, telemetry.providers)
    const request = telemetry.providers.tracerProvider.getTracer('test').startSpan('request')
    await context.with(trace.setSpan(context.active(), request), async () => {
      for (let again = 0; again < 2; again++) {
        await b.get('get')
        await b.getOrSet('getOrSet', () => 'new')
      }
      await b.get('nothing')
      await b.getOrSet('nothing', () => 'new')
    })
    expect(reads()).toEqual(['hit', 'hit', 'miss', 'miss'])
    const spans = telemetry.spans()
    expect(new Set(spans.map((span) => span.parentSpanContext?.spanId))).toEqual(new Set([request.spanContext().spanId]))
  })

  it('makes one span for a batch, and none for its keys', async () => {
    const [a, b] = [await tier.open(ample), await tier.open(ample)]
    await a.setMany([['a', 1], ['b', 2]])
    await hasHeardAll(b)
    await b.get('a')
    await instrument(b, telemetry.providers)
    const load = (missing: string[]) => missing.map((key): [string, string] => [key, key])
    expect([...(await b.getMany(['a', 'b', 'c', 'd'])).keys()]).toEqual(['a', 'b'])
    expect([...(await b.getOrSetMany(['b', 'c', 'd'], load)).keys()]).toEqual(['b', 'c', 'd'])
    await b.getMany(['b', 'c'])
    expect(await b.getOrSetMany(['b', 'c'], load)).toEqual(new Map<string, unknown>([['b', 2], ['c', 'c']]))
    await b.setMany([['e', 1], ['f', () => {}]])
    const spans = telemetry.spans().map(({ name, attributes }) => [name, attributes[`${name}.keys`]])
    // In no certain order: a loader that is done at once has ended before it is told that reading has.
    expect(spans.toSorted()).toEqual([['tiercel.load', 2], ['tiercel.read', 2], ['tiercel.read', 3], ['tiercel.store', 2]])
    expect(telemetry.spans().at(-1)?.attributes['tiercel.store.kept']).toBe(1)
  })

  it('ends the read of a batch when it loads, or when it is given up', async () => {
    const proxy = await startProxy(tier.redis)
    try {
      const cache = await tier.open({ ...ample, redis: proxy.url })
      await instrument(cache, telemetry.providers)
      const ended = () => telemetry.spans().map(({ name }) => name)
      const loader = heldLoader<[string, string][]>()
      const load = cache.getOrSetMany(['a', 'b'], (_, ctx) => loader(ctx.for('a')))
      const call = await loader.called()
      await vi.waitUntil(() => ended().length > 0, soon)
      expect(ended()).toEqual(['tiercel.read'])
      call.succeed([['a', '1'], ['b', '2']])
      await load

      proxy.pause()
      const controller = new AbortController()
      const waiting = cache.getOrSetMany(['c', 'd'], () => [], { signal: controller.signal })
      controller.abort()
      await expect(waiting).rejects.toThrow('aborted')
      await vi.waitUntil(() => ended().filter((name) => name === 'tiercel.read').length === 2, soon)
    } finally {
      await proxy.stop()
    }
  })

  it('makes a span of storing, and says whether the value was kept', async () => {
    const [a, b] = [await tier.open(ample), await tier.open(ample)]
    await instrument(a, telemetry.providers)
    const kept = () => telemetry.spans().filter(({ name }) => name === 'tiercel.store').map(({ attributes }) => attributes['tiercel.store.kept'])
    await a.set('k', 'v')
    await a.getOrSet('other', () => 'v')
    const loader = heldLoader()
    const load = a.getOrSet('raced', loader)
    const call = await loader.called()
    await b.set('raced', 'newer')
    call.succeed('older')
    expect(await load).toBe('older')
    expect(kept()).toEqual([1, 1, 0])
    await a.getOrSet('here', () => 'v', { redis: false })
    expect(kept()).toHaveLength(3)
  })

  it('tells of an outage: reads that failed, what is to be told later, and errors by their code', async () => {
    const proxy = await startProxy(tier.redis)
    try {
      const cache = await tier.open({ ...ample, redis: proxy.url })
      await instrument(cache, telemetry.providers)
      proxy.refuse()
      proxy.reset()
      await vi.waitFor(async () => {
        await cache.get('k')
        expect(reads().at(-1)).toBe('failed')
        expect(await telemetry.values('tiercel.redis.up')).toEqual([0])
      }, soon)
      await cache.invalidate({ key: 'k' })
      const invalidated = telemetry.spans().findLast(({ name }) => name === 'tiercel.invalidate')
      // It is no failure of the call: it resolved, and said so.
      expect(invalidated).toMatchObject({ status: { code: SpanStatusCode.UNSET }, attributes: { 'tiercel.invalidate.durable': false } })
      expect(await telemetry.values('tiercel.redis.journal')).toEqual([1])
      expect(await telemetry.values('tiercel.redis.outages')).toEqual([1])
      expect(await telemetry.values('tiercel.healthy')).toEqual([0])
      await vi.waitFor(async () => {
        const codes = (await telemetry.metrics()).get('tiercel.errors')?.dataPoints.map(({ attributes }) => attributes['error.type'])
        expect(codes).toContain('TIERCEL_REDIS_UNAVAILABLE')
      }, soon)
    } finally {
      await proxy.stop()
    }
  })

  it('sends Redis the same commands, with and without', async () => {
    const plain = await tier.open(ample)
    const traced = await tier.open(ample)
    await instrument(traced, telemetry.providers)
    const use = (cache: typeof plain, prefix: string) =>
      tier.commandsDuring(async () => {
        await cache.getOrSet(`${prefix}:a`, () => 'v', { tags: ['t'] })
        await cache.get(`${prefix}:b`)
        await cache.invalidate({ tag: 't' })
      })
    const names = (commands: string[][]) => commands.map(([name]) => name)
    // The first use of a script is longer than those after it.
    await use(plain, 'warm')
    await use(traced, 'warm2')
    const without = names(await use(plain, 'one'))
    expect(without.length).toBeGreaterThan(2)
    expect(names(await use(traced, 'two'))).toEqual(without)
  })
})
