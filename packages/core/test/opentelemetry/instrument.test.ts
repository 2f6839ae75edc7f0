import { context, metrics, trace } from '@opentelemetry/api'
import { expect, it, onTestFinished } from 'vitest'
import { createCache, type Cache } from '../../src/index.js'
import { instrument, type InstrumentOptions } from '../../src/opentelemetry.js'
import { useTelemetry } from './telemetry.js'

const telemetry = useTelemetry()

it('takes the global providers where none are given', async () => {
  const cache = createCache({ redis: false })
  metrics.setGlobalMeterProvider(telemetry.providers.meterProvider)
  trace.setGlobalTracerProvider(telemetry.providers.tracerProvider)
  onTestFinished(async () => {
    metrics.disable()
    trace.disable()
    await cache.close()
  })
  await instrument(cache)
  await cache.getOrSet('k', () => 'v')
  expect(await telemetry.values('tiercel.misses')).toEqual([1])
  expect(telemetry.spans().map(({ name }) => name)).toEqual(['tiercel.load'])
})

it('changes nothing where no SDK is there to take it', async () => {
  const cache = createCache({ redis: false })
  await instrument(cache)
  expect(await cache.getOrSet('k', () => trace.getSpanContext(context.active())?.traceId)).toBe('00000000000000000000000000000000')
  expect(await cache.invalidate({ key: 'k' })).toEqual({ durable: true, count: 1 })
  await cache.close()
})

it.each([
  [{ meterprovider: {} }, "no option 'meterprovider'"],
  [{ meterProvider: {} }, 'getMeter'],
  [{ tracerProvider: {} }, 'getTracer'],
  [{ hashedKeys: 'yes' }, 'hashedKeys'],
  [null, 'an object'],
])('refuses the options %j', async (options, why) => {
  const cache = createCache({ redis: false })
  await expect(instrument(cache, options as unknown as InstrumentOptions)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining(why) as string })
  await cache.close()
})

it('refuses what is no cache, and a cache that was closed', async () => {
  await expect(instrument({} as Cache)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  const cache = createCache({ redis: false })
  await cache.close()
  await expect(instrument(cache)).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
})
