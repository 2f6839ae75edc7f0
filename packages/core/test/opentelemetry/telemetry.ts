import { context, type Attributes } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider, MetricReader, type CollectionResult, type MetricData } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'

class ReaderForTests extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }
}

/** The SDK of OpenTelemetry, with what it was given kept in memory. New for each test. */
export interface Telemetry {
  readonly providers: { readonly meterProvider: MeterProvider; readonly tracerProvider: BasicTracerProvider }
  collect(): Promise<CollectionResult>
  /** All metrics by their name. */
  metrics(): Promise<Map<string, MetricData>>
  /** The values of one metric that have these attributes. */
  values(name: string, attributes?: Attributes): Promise<unknown[]>
  /** As Prometheus gets it. */
  prometheus(): Promise<string>
  /** Spans that have ended, in that order. */
  spans(): ReadableSpan[]
}

export function useTelemetry(): Telemetry {
  let reader: ReaderForTests
  let meterProvider: MeterProvider
  let tracerProvider: BasicTracerProvider
  let exporter: InMemorySpanExporter

  beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
  afterAll(() => context.disable())
  beforeEach(() => {
    reader = new ReaderForTests()
    meterProvider = new MeterProvider({ readers: [reader] })
    exporter = new InMemorySpanExporter()
    tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  })
  afterEach(() => Promise.all([meterProvider.shutdown(), tracerProvider.shutdown()]))

  const metrics = async () => {
    const { resourceMetrics } = await reader.collect()
    return new Map(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics).map((metric) => [metric.descriptor.name, metric]))
  }
  return {
    get providers() {
      return { meterProvider, tracerProvider }
    },
    collect: () => reader.collect(),
    metrics,
    async values(name, attributes = {}) {
      const points: readonly { readonly attributes: Attributes; readonly value: unknown }[] = (await metrics()).get(name)?.dataPoints ?? []
      return points.filter((point) => Object.entries(attributes).every(([attribute, value]) => point.attributes[attribute] === value)).map(({ value }) => value)
    },
    async prometheus() {
      return new PrometheusSerializer().serialize((await reader.collect()).resourceMetrics)
    },
    spans: () => exporter.getFinishedSpans(),
  }
}
