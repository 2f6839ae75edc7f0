import { percentile } from '../../latency.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess, ServiceStats } from '../../service-processes.js'
import { waitFor } from '../../wait-for.js'
import { countriesBySize } from '../../world.js'
import type { SharedStage } from './shared-stage.js'

/** How long a page takes from the database, from Redis and from memory; one request at a time. */
export async function showTiers({ cities, processes }: SharedStage, { pages }: { pages: number }): Promise<Chapter> {
  const [a, b] = processes.pair
  const countries = countriesBySize(cities).map((code) => `/countries/${code}`)
  const cityPages = cities.map(({ id }) => `/cities/${id}`)
  // Not measured: what a process does only once, such as compiling its code. With pages that are not asked for again.
  for (const path of [...cityPages.slice(pages, 2 * pages), ...countries.slice(-10)]) {
    for (const { client } of [a, b, b, a]) await client.get(path)
  }

  const paths = [...cityPages.slice(0, pages), ...countries.slice(0, Math.min(pages / 4, countries.length - 10))]
  const cold = await visit(a, paths)
  const shared = await visit(b, paths)
  const fiveTimes = () => visit(b, Array.from({ length: 5 }, () => paths).flat())
  let memory = await fiveTimes()
  // A process that was held up is not sure for a moment that it has heard everything, and asks Redis once more.
  await waitFor(async () => isOnly('memory', memory) || isOnly('memory', (memory = await fiveTimes())))
  const row = (what: string, { times, from }: Outcome): string[] => [
    what,
    ...[times.length, from.database, from.redis, from.memory].map(count),
    milliseconds(percentile(times, 0.5)),
    milliseconds(percentile(times, 0.99)),
  ]
  return {
    heading: 'Two processes, A and B, one Redis: how fast is a page, and where does it come from?',
    table: [
      ['one request at a time', 'pages', 'from the database', 'from Redis', 'from memory', 'p50', 'p99'],
      row('cold: asked of A', cold),
      row('L2: then asked of B', shared),
      row('L1: asked of B again, five times', memory),
    ],
    notes: ['Times are those of a visitor. The database is in a third process, and a query has to go there and back.'],
    claims: [
      { says: 'what A had loaded, B had from Redis: no page was loaded twice', holds: cold.from.database === paths.length && isOnly('redis', shared) },
      { says: 'and then from its own memory: nobody was asked', holds: isOnly('memory', memory) },
    ],
  }
}

async function visit({ client, stats }: ServiceProcess, paths: string[]): Promise<Outcome> {
  const before = (await stats()).served
  const times: number[] = []
  for (const path of paths) times.push((await client.get(path)).milliseconds)
  const after = (await stats()).served
  const [memory, redis, database] = (['memory', 'redis', 'database'] as const).map((tier) => after[tier] - before[tier])
  return { times, from: { memory, redis, database } as Outcome['from'] }
}

function isOnly(tier: keyof Outcome['from'], { times, from }: Outcome): boolean {
  return from[tier] === times.length && from.memory + from.redis + from.database === times.length
}

interface Outcome {
  times: number[]
  from: ServiceStats['served']
}
