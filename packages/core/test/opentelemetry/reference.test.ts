import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import { expect, it, vi } from 'vitest'
import { instrument } from '../../src/opentelemetry.js'
import { membersOf, source } from '../docs/declared.js'
import { Page } from '../docs/tables.js'
import { describeWithRedis } from '../redis/server/index.js'
import { soon, useTier } from '../redis/tier/tier.js'
import { useTelemetry } from './telemetry.js'

const page = new Page('docs/Reference/opentelemetry.md')
const attributeRows = page.rows('Attributes')

const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

function kindOf(metric: MetricData): string {
  if (metric.dataPointType === DataPointType.HISTOGRAM) return 'histogram'
  if (metric.dataPointType !== DataPointType.SUM) return 'gauge'
  return metric.isMonotonic ? 'counter' : 'amount'
}

describeWithRedis('the reference of OpenTelemetry', () => {
  const tier = useTier()
  const telemetry = useTelemetry()

  it('has a row for every metric, with its kind, unit and attributes, and for nothing else', async () => {
    const cache = await tier.open({ deadline: '10s', audit: { sample: 1, after: '1m' } })
    await instrument(cache, telemetry.providers)
    await cache.getOrSet('k', () => 'v')
    await cache.set('f', () => {})
    await vi.waitUntil(() => cache.health().redis?.confirmationMs !== undefined, soon)
    const made = [...(await telemetry.metrics()).values()].map((metric) => {
      const attributes = [...new Set(metric.dataPoints.flatMap((point) => Object.keys(point.attributes)))].filter((name) => name !== 'tiercel.namespace')
      return { name: metric.descriptor.name, kind: kindOf(metric), unit: metric.descriptor.unit, attributes }
    })
    const rows = [
      ...[...page.rows('Of a cache or namespace')].map(([name, [kind = '', unit, attributes]]) => ({ name, kind, unit: codes(unit)[0], attributes: codes(attributes) })),
      ...[...page.rows('Of a whole cache')].map(([name, [kind = '', unit]]) => ({ name, kind, unit: codes(unit)[0], attributes: [] })),
    ]
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    expect(rows.toSorted(byName)).toEqual(made.toSorted(byName))
    for (const { name, attributes } of made) for (const attribute of attributes) expect(attributeRows.get(attribute)?.[0], `${attribute} on ${name}`).toContain(name)
  })

  it('has a row for every span, and for every attribute of one', async () => {
    const cache = await tier.open({ deadline: '10s' })
    await instrument(cache, { ...telemetry.providers, hashedKeys: true })
    await Promise.all([1, 2].map(() => cache.getOrSet('k', () => 'v')))
    await cache.getOrSet('failing', () => Promise.reject(new Error('down'))).catch(() => {})
    await cache.invalidate({ tag: 't' })
    const attributesOf = new Map<string, Set<string>>()
    for (const { name, attributes } of telemetry.spans()) attributesOf.set(name, new Set([...(attributesOf.get(name) ?? []), ...Object.keys(attributes)]))
    expect([...page.rows('Spans').keys()].toSorted()).toEqual([...attributesOf.keys()].toSorted())

    // Those whose rows do not name spans are on all of them, or on all with one key or an error.
    const general = ['tiercel.namespace', 'error.type', 'tiercel.key.hash']
    const named = [...attributeRows].flatMap(([attribute, [on = '']]) => codes(on).filter((name) => page.rows('Spans').has(name)).map((name) => `${attribute} on ${name}`))
    const made = [...attributesOf].flatMap(([name, attributes]) => [...attributes].filter((attribute) => !general.includes(attribute)).map((attribute) => `${attribute} on ${name}`))
    expect(named.toSorted()).toEqual(made.toSorted())
    expect(general.filter((attribute) => !attributeRows.has(attribute))).toEqual([])
  })
})

it('has a row for every option, and the signature', () => {
  expect([...page.rows('instrument').keys()].toSorted()).toEqual(membersOf('opentelemetry/instrument.ts', 'InstrumentOptions').map(({ name }) => name).toSorted())
  const signature = /export async (function instrument.*) \{$/m.exec(source('opentelemetry/instrument.ts'))?.[1]
  expect(page.section('instrument')).toContain(`\n\`${signature?.replace('function ', '')}\`\n`)
})
