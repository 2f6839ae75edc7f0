import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataPointType, type CollectionResult } from '@opentelemetry/sdk-metrics'
import { beforeEach, expect, it, vi } from 'vitest'
import { instrument } from '../../src/opentelemetry.js'
import { root } from '../docs/pages.js'
import { describeWithRedis } from '../redis/server/index.js'
import { soon, useTier } from '../redis/tier/tier.js'
import { asked } from './promql.js'
import { useTelemetry } from './telemetry.js'

interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
}

const dashboard = JSON.parse(readFileSync(join(root, 'docs/grafana/tiercel.json'), 'utf8')) as Dashboard
const targets = dashboard.panels.flatMap(({ title, targets: some = [] }) => some.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })))
const variables = dashboard.templating.list.flatMap(({ name, definition }) => (definition === undefined ? [] : [{ name, definition }]))

/** Prometheus gives these to all that it collects. */
const OF_PROMETHEUS = ['job', 'instance']

/** Names of series, and the labels each has. */
type Series = ReadonlyMap<string, ReadonlySet<string>>

/** What the exporter of OpenTelemetry for Prometheus writes. */
function exported(text: string): Series {
  const series = new Map<string, Set<string>>()
  for (const [, name = '', labels = ''] of text.matchAll(/^(tiercel_\w+)\{(.*)\} /gm)) {
    const known = series.get(name) ?? new Set(OF_PROMETHEUS)
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label)
    series.set(name, known)
  }
  return series
}

/** What Prometheus and the collector make of it when they are sent it, by the rules for units and types: opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics. */
function received({ resourceMetrics }: CollectionResult): Series {
  const units: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes', '1': '_ratio' }
  const escaped = (name: string) => name.replaceAll('.', '_')
  const series = new Map<string, Set<string>>()
  for (const { descriptor, dataPointType, dataPoints, ...rest } of resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)) {
    const name = escaped(descriptor.name) + (units[descriptor.unit] ?? '')
    const labels = [...OF_PROMETHEUS, ...dataPoints.flatMap(({ attributes }) => Object.keys(attributes).map(escaped))]
    if (dataPointType === DataPointType.HISTOGRAM) for (const part of ['_bucket', '_sum', '_count']) series.set(name + part, new Set(['le', ...labels]))
    else series.set('isMonotonic' in rest && rest.isMonotonic === true ? `${name}_total` : name, new Set(labels))
  }
  return series
}

describeWithRedis('the dashboard for Grafana', () => {
  const tier = useTier()
  const telemetry = useTelemetry()
  let each: readonly Series[] = []

  beforeEach(async () => {
    const cache = await tier.open({ deadline: '10s', audit: { sample: 1, after: '1m' } })
    await instrument(cache, telemetry.providers)
    await cache.getOrSet('k', () => 'v')
    // Something nobody is told of.
    await cache.set('f', () => {})
    // What there is only after the first heartbeat.
    await vi.waitUntil(() => cache.health().redis?.confirmationMs !== undefined, soon)
    each = [exported(await telemetry.prometheus()), received(await telemetry.collect())]
  })

  const found = (series: Series, name: RegExp) => [...series].filter(([candidate]) => name.test(candidate))

  it('asks only for metrics and labels that there are, whichever way they come to Prometheus', () => {
    const missing = each.flatMap((series) =>
      targets.flatMap(({ title, expr, legendFormat }) => {
        const { selectors, groups } = asked(expr)
        const labels = [...groups, ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)]
        return selectors.flatMap(({ name, labels: own }) => {
          const matches = found(series, name)
          if (matches.length !== 1) return [`${title}: ${matches.length} metrics are ${name.source}`]
          return [...own, ...labels].filter((label) => matches[0]?.[1].has(label) !== true).map((label) => `${title}: ${name.source} has no ${label}`)
        })
      }),
    )
    expect(targets.length).toBeGreaterThan(20)
    expect(missing).toEqual([])
  })

  it('leaves no metric out', () => {
    const names = targets.flatMap(({ expr }) => asked(expr).selectors.map(({ name }) => name))
    for (const series of each) {
      const left = [...series.keys()].filter((name) => !names.some((pattern) => pattern.test(name)))
      // The other two parts of the histogram.
      expect(left.map((name) => name.replace('_seconds', '')).toSorted()).toEqual(['tiercel_load_duration_count', 'tiercel_load_duration_sum'])
    }
  })

  it('takes what there is to choose from labels that there are', () => {
    expect(variables.map(({ name }) => name)).toEqual(['job', 'namespace'])
    for (const series of each) {
      for (const { definition } of variables) {
        const [, metric = '', label = ''] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(definition) ?? []
        expect(series.get(metric)).toContain(label)
      }
    }
  })
})

it('is a dashboard whose panels have an id and a place of their own', () => {
  const { panels } = dashboard
  const overlaps = panels.flatMap(({ id, gridPos: a }) =>
    panels.filter(({ id: other, gridPos: b }) => other > id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).map(({ id: other }) => [id, other]),
  )
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  expect(overlaps).toEqual([])
  expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
})
