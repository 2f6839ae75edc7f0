import { percentile } from '../latency.js'
import { milliseconds, type Chapter } from '../report.js'
import type { Stage } from '../stage.js'
import { countriesBySize } from '../world.js'

const words = ['san', 'new', 'villa', 'burg', 'port', 'mont', 'kov', 'abad']

/** How long a page takes the first time, from the database, and after that, from memory; one request at a time. */
export async function showLatency({ cities, database, cache, direct, cached }: Stage, { pages }: { pages: number }): Promise<Chapter> {
  const countries = countriesBySize(cities).slice(0, pages)
  const routes = {
    '/cities/:id': cities.slice(0, pages).map(({ id }) => `/cities/${id}`),
    '/countries/:code': countries.map((code) => `/countries/${code}`),
    '/countries/:code/cities?top=20': countries.map((code) => `/countries/${code}/cities?top=20`),
    '/search?q=': words.map((word) => `/search?q=${word}`),
  }

  // Not measured: what a process does only once, such as compiling its code.
  for (const paths of Object.values(routes)) for (const path of paths) await direct.client.get(path)
  for (let round = 0; round < 2; round += 1) for (const path of Object.values(routes).flat()) await cached.client.get(path)
  await cache.invalidate({ all: true })

  const table = [['one request at a time', 'pages', 'cold p50', 'p99', 'queries', 'cached p50', 'p99', 'queries']]
  let everyPageOnce = true
  let thenNone = true
  for (const [route, paths] of Object.entries(routes)) {
    const cold = await visit(paths)
    const warm = await visit(Array.from({ length: 5 }, () => paths).flat())
    everyPageOnce &&= cold.queries === paths.length
    thenNone &&= warm.queries === 0
    table.push([
      `GET ${route}`,
      String(paths.length),
      ...[cold, warm].flatMap(({ times, queries }) => [
        milliseconds(percentile(times, 0.5)),
        milliseconds(percentile(times, 0.99)),
        String(queries),
      ]),
    ])
  }
  return {
    heading: 'How fast is a page, cold and cached?',
    table,
    notes: ['Times are those of a visitor: HTTP, Express and JSON included. Each cached page was asked for five times.'],
    claims: [
      { says: 'each page cost the database one query when it was cold', holds: everyPageOnce },
      { says: 'and none when it was cached', holds: thenNone },
    ],
  }

  async function visit(paths: string[]): Promise<{ times: number[]; queries: number }> {
    const before = database.queries
    const times: number[] = []
    for (const path of paths) times.push((await cached.client.get(path)).milliseconds)
    return { times, queries: database.queries - before }
  }
}
