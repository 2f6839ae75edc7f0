import { createHash } from 'node:crypto'
import { context, SpanStatusCode, trace, type Span } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.js'
import { instrument } from '../../src/opentelemetry.js'
import { heldLoader } from '../behaviour/held-loader.js'
import { useTelemetry } from './telemetry.js'

describe('spans of OpenTelemetry', () => {
  const telemetry = useTelemetry()
  const made: Cache[] = []
  afterEach(() => Promise.all(made.splice(0).map((cache) => cache.close())))

  function make(options?: CacheOptions): Cache {
    const cache = createCache({ redis: false, ...options })
    made.push(cache)
    return cache
  }

  const start = (name: string): Span => telemetry.providers.tracerProvider.getTracer('test').startSpan(name)

  async function inSpan<T>(name: string, run: () => Promise<T>): Promise<T> {
    const span = start(name)
    try {
      return await context.with(trace.setSpan(context.active(), span), run)
    } finally {
      span.end()
    }
  }

  const named = (name: string) => telemetry.spans().filter((span) => span.name === name)
  const parentOf = (name: string) => {
    const [span] = named(name)
    return telemetry.spans().find((other) => other.spanContext().spanId === span?.parentSpanContext?.spanId)?.name
  }

  it('stand between the caller and what its loader does', async () => {
    const cache = make()
    await instrument(cache, telemetry.providers)
    const loader = async () => {
      await Promise.resolve()
      start('query').end()
      return 'v'
    }
    await inSpan('request', () => cache.getOrSet('k', loader))
    expect(parentOf('tiercel.load')).toBe('request')
    expect(parentOf('query')).toBe('tiercel.load')
    expect(named('tiercel.load')[0]?.attributes).toEqual({ 'tiercel.namespace': 'tiercel', 'tiercel.load.keys': 1, 'tiercel.load.background': false })
  })

  it('are none for what memory has', async () => {
    const cache = make()
    await cache.set('k', 'v')
    await instrument(cache, telemetry.providers)
    await cache.getOrSet('k', () => 'new')
    await cache.get('k')
    expect(telemetry.spans()).toEqual([])
  })

  it('are one for a load that many wait for, below the first of them, to which the others have links', async () => {
    const cache = make()
    await instrument(cache, telemetry.providers)
    const loader = heldLoader()
    const first = inSpan('first', () => cache.getOrSet('k', loader))
    const second = inSpan('second', () => cache.getOrSet('k', loader))
    const call = await loader.called()
    call.succeed('v')
    await Promise.all([first, second])
    const [span, ...more] = named('tiercel.load')
    expect(more).toEqual([])
    expect(parentOf('tiercel.load')).toBe('first')
    expect(parentOf('tiercel.wait')).toBe('second')
    expect(named('tiercel.wait').map(({ attributes, links }) => [attributes, links.map((link) => link.context)])).toEqual([
      [{ 'tiercel.namespace': 'tiercel', 'tiercel.wait.landed': true }, [span?.spanContext()]],
    ])
  })

  it('say that a wait has ended before the load', async () => {
    const cache = make({ grace: '1h', softTimeout: 5 })
    await instrument(cache, telemetry.providers)
    await cache.set('k', 'old')
    await cache.expire({ key: 'k' })
    const loader = heldLoader()
    expect(await Promise.all([cache.getOrSet('k', loader), cache.getOrSet('k', loader)])).toEqual(['old', 'old'])
    expect(named('tiercel.wait').map(({ attributes }) => attributes['tiercel.wait.landed'])).toEqual([false])
    const call = await loader.called()
    call.succeed('new')
  })

  it('say of a load that nobody waits for that it is one', async () => {
    const cache = make({ ttl: '1h', refresh: 1e-12 })
    await instrument(cache, telemetry.providers)
    const loader = heldLoader()
    await cache.set('k', 'v')
    await cache.getOrSet('k', loader)
    const call = await loader.called()
    const sets = new Promise((resolve) => cache.on('set', resolve))
    call.succeed('new')
    await sets
    expect(named('tiercel.load').map(({ attributes }) => attributes['tiercel.load.background'])).toEqual([true])
  })

  it('are one for each call of a loader of many keys', async () => {
    const cache = make()
    await instrument(cache, telemetry.providers)
    await inSpan('request', () => cache.getOrSetMany(['a', 'b', 'c'], (missing) => missing.map((key) => [key, key])))
    expect(named('tiercel.load').map(({ attributes }) => attributes['tiercel.load.keys'])).toEqual([3])
    expect(parentOf('tiercel.load')).toBe('request')
  })

  it('say that a load failed by the class of its error, and pass the error on', async () => {
    class QueryFailed extends Error {}
    const failure = new QueryFailed('no user ada@example.com')
    const cache = make()
    await instrument(cache, telemetry.providers)
    await expect(cache.getOrSet('k', () => Promise.reject(failure))).rejects.toBe(failure)
    await expect(cache.getOrSet('k', () => { throw failure })).rejects.toBe(failure)
    await expect(cache.getOrSetMany(['k'], () => Promise.reject(failure))).rejects.toBe(failure)
    expect(named('tiercel.load').map(({ status, attributes }) => [status, attributes['error.type']])).toEqual(Array.from({ length: 3 }, () => [{ code: SpanStatusCode.ERROR }, 'QueryFailed']))
    expect(JSON.stringify(named('tiercel.load').map(({ attributes, status, events }) => ({ attributes, status, events })))).not.toContain('ada')
  })

  it('are made of invalidations, with what was named but not its names', async () => {
    const cache = make()
    await instrument(cache, telemetry.providers)
    await inSpan('request', () => cache.invalidate({ keys: ['a', 'b'], room: 'lobby' }))
    await cache.expire({ all: true })
    expect(parentOf('tiercel.invalidate')).toBe('request')
    const [some, all] = named('tiercel.invalidate').map(({ attributes }) => attributes)
    expect(some).toEqual({
      'tiercel.namespace': 'tiercel',
      'tiercel.invalidate.mode': 'invalidate',
      'tiercel.invalidate.kinds': ['key', 'room'],
      'tiercel.invalidate.targets': 3,
      'tiercel.invalidate.durable': true,
    })
    expect(all).toMatchObject({ 'tiercel.invalidate.mode': 'expire', 'tiercel.invalidate.kinds': ['all'], 'tiercel.invalidate.targets': 1 })
  })

  it('name the key by its hash when that is asked for', async () => {
    const cache = make()
    await instrument(cache, { ...telemetry.providers, hashedKeys: true })
    await cache.namespace('users').getOrSet('ada', () => 'v')
    const hash = createHash('sha256').update('tiercel:users:ada').digest('hex').slice(0, 16)
    expect(named('tiercel.load').map(({ attributes }) => attributes['tiercel.key.hash'])).toEqual([hash])
  })

  it('are not made twice where a namespace is instrumented beside its cache', async () => {
    const cache = make()
    await instrument(cache.namespace('users'), { ...telemetry.providers, hashedKeys: true })
    await instrument(cache, telemetry.providers)
    await cache.namespace('users').getOrSet('k', () => 'v')
    await cache.namespace('rooms').getOrSet('k', () => 'v')
    expect(named('tiercel.load').map(({ attributes }) => [attributes['tiercel.namespace'], 'tiercel.key.hash' in attributes])).toEqual([
      ['tiercel:users', true],
      ['tiercel:rooms', false],
    ])
  })

  it.each(['stop', 'close'] as const)('are not made any more after %s', async (end) => {
    const cache = make()
    const instrumentation = await instrument(cache, telemetry.providers)
    const loader = heldLoader()
    const load = cache.getOrSet('k', loader)
    await loader.called()
    if (end === 'stop') instrumentation.stop()
    else await cache.close()
    const call = await loader.called()
    call.succeed('v')
    await load
    // What was under way is told to its end.
    expect(named('tiercel.load')).toHaveLength(1)
    if (end === 'stop') await cache.getOrSet('other', () => 'v')
    expect(named('tiercel.load')).toHaveLength(1)
  })
})
