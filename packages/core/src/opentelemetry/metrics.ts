import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { Cache } from '../cache/index.js'
import { BACKGROUND, DURING, ERROR_TYPE, NAMESPACE } from './attributes.js'
import { errorType } from './error-type.js'
import { ofCaches, ofNamespaces, type Figure } from './figures.js'

/** Those the conventions of OpenTelemetry name for the durations of requests. */
const BUCKETS_IN_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/**
 * Counts a cache for a meter. Nearly all is read from `stats()` and `health()` when the meter is collected; only what has no counter, such as durations, is
 * recorded as it happens. Returns a function that ends it.
 */
export function meterCache(meter: Meter, cache: Cache, isWhole: boolean): () => void {
  const namespace = { [NAMESPACE]: cache.name }
  const endings = [observeFigures(meter, cache, isWhole ? [...ofNamespaces, ...ofCaches] : ofNamespaces)]

  const durations = meter.createHistogram('tiercel.load.duration', {
    unit: 's',
    description: 'How long loads took that ended well, until their value was kept',
    advice: { explicitBucketBoundaries: BUCKETS_IN_SECONDS },
  })
  endings.push(cache.on('load', ({ durationMs, background }) => durations.record(durationMs / 1000, { ...namespace, [BACKGROUND]: background })))

  const errors = meter.createCounter('tiercel.errors', { unit: '{error}', description: 'Errors that no caller was told of' })
  endings.push(cache.on('error', ({ during, error }) => errors.add(1, { ...namespace, [DURING]: during, [ERROR_TYPE]: errorType(error) })))

  return () => endings.forEach((end) => end())
}

function observeFigures(meter: Meter, cache: Cache, figures: readonly Figure[]): () => void {
  const observables = new Map<string, Observable>()
  for (const figure of figures) if (!observables.has(figure.name)) observables.set(figure.name, create(meter, figure))
  const observe = (result: BatchObservableResult): void => {
    const reading = { stats: cache.stats(), health: cache.health() }
    for (const { name, attributes, read } of figures) {
      const value = read(reading)
      const observable = observables.get(name)
      if (value !== undefined && observable !== undefined) result.observe(observable, value, { [NAMESPACE]: cache.name, ...attributes })
    }
  }
  const all = [...observables.values()]
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}

function create(meter: Meter, { name, kind, unit, description }: Figure): Observable {
  if (kind === 'counter') return meter.createObservableCounter(name, { unit, description })
  return kind === 'amount' ? meter.createObservableUpDownCounter(name, { unit, description }) : meter.createObservableGauge(name, { unit, description })
}
