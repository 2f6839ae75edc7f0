import { MissingPeerError } from '@tiercel/core'
import { numbersOf } from './figures.js'
import type { Reading } from './source.js'

// Types only: the package is loaded when somebody asks for its format.
import type * as PromClient from 'prom-client'

/**
 * The numbers of all sources in Prometheus' text format: `memory.maxEntries` of the source `pages` is
 * `tiercel_memory_max_entries{source="pages"}`. All are gauges, since nobody says of a number whether it ever goes down.
 *
 * @throws {MissingPeerError} when `prom-client` is not installed.
 */
export async function prometheusText(readings: ReadonlyMap<string, Reading>): Promise<{ readonly type: string; readonly text: string }> {
  const { Gauge, Registry } = await promClient()
  const registry = new Registry()
  const gauges = new Map<string, InstanceType<typeof Gauge>>()
  for (const [source, { stats, health, healthy }] of readings) {
    // The verdict comes last: where a source has a figure of that name, the verdict is the one that counts.
    for (const [path, value] of [...numbersOf(stats), ...numbersOf(health), [['healthy'], Number(healthy)] as const]) {
      const name = metricName(path)
      let gauge = gauges.get(name)
      if (gauge === undefined) {
        gauge = new Gauge({ name, help: `${path.join('.')}, as the source tells it`, labelNames: ['source'], registers: [registry] })
        gauges.set(name, gauge)
      }
      gauge.set({ source }, value)
    }
  }
  return { type: registry.contentType, text: await registry.metrics() }
}

const metricName = (path: readonly string[]): string =>
  ['tiercel', ...path].map((part) => part.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, '_').toLowerCase().replaceAll(/[^a-z\d_]+/g, '_')).join('_')

async function promClient(): Promise<typeof PromClient> {
  try {
    return await import('prom-client')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
    if (!isMissing) throw error
    throw new MissingPeerError('Figures for Prometheus need the package prom-client: npm install prom-client')
  }
}
