import { setTimeout as pause } from 'node:timers/promises'
import { citiesIn } from '../cities.js'
import { count, type Chapter } from '../report.js'
import type { Service, Stage } from '../stage.js'
import { countriesBySize, type City } from '../world.js'

/** The database goes away for a moment, just when the cached pages of a country are past their time. */
export async function showOutage({ cities, database, cache, direct, cached }: Stage, { reads }: { reads: number }): Promise<Chapter> {
  const ranked = countriesBySize(cities)
  const code = ranked[2]
  const known = cities.filter(({ country }) => country === code).slice(0, 40)
  const [city] = known
  if (!code || !city) throw new RangeError('The show needs three countries')
  const pages = [...known.map(({ id }) => `/cities/${id}`), `/countries/${code}`, `/countries/${code}/cities?top=20`]
  const unknown = cities.filter(({ country }) => country === ranked[1]).slice(0, 40).map(({ id }) => `/cities/${id}`)

  await cache.invalidate({ all: true })
  for (const page of pages) await cached.client.get(page)
  const old = (await cached.client.get<City>(`/cities/${city.id}`)).body.population
  // An import that knows nothing of the cache, then the end of the TTL: only the database has the new number.
  await citiesIn(database).setPopulation(city.id, old + 500)
  await cache.expire({ room: code })

  database.down = true
  const without = await visit(direct, pages, reads)
  const withCache = await visit(cached, pages, reads)
  const neverCached = await visit(cached, unknown, unknown.length)
  const duringIt = (await cached.client.get<Partial<City>>(`/cities/${city.id}`)).body.population ?? NaN
  database.down = false
  const afterIt = await freshAgain(old)

  const row = (what: string, cell: (outcome: Outcome) => string): string[] => [what, ...[without, withCache, neverCached].map(cell)]
  return {
    heading: `The database is gone for a moment, and the pages of ${code} are just past their time to live`,
    table: [
      ['', 'without cache', 'with cache and grace', 'pages never cached'],
      row('visits', ({ answered, refused }) => count(answered + refused)),
      row('answered (200)', ({ answered }) => count(answered)),
      row('of them from within grace', ({ stale }) => count(stale)),
      row('refused (503)', ({ refused }) => count(refused)),
      row('times the database was asked in vain', ({ queries }) => count(queries)),
    ],
    notes: [
      `${city.name} before, during and after: ${[old, duringIt, afterIt].map(count).join(', ')} people.`,
      'An import had changed it in the database just before it went away.',
    ],
    claims: [
      { says: 'with grace every visit to a page once cached was answered', holds: withCache.answered === reads && withCache.stale > 0 },
      { says: 'without a cache none was, so the database was really gone', holds: without.refused === reads },
      { says: 'when the database was back, the page was fresh again', holds: duringIt === old && afterIt === old + 500 },
    ],
  }

  async function visit({ client }: Service, paths: string[], visitCount: number): Promise<Outcome> {
    const outcome: Outcome = { answered: 0, refused: 0, stale: 0, queries: 0 }
    const countStale = (): void => {
      outcome.stale += 1
    }
    cache.on('stale', countStale)
    const before = database.queries
    const queue = Array.from({ length: visitCount }, (_, turn) => paths[turn % paths.length] ?? '/').values()
    const visitor = async (): Promise<void> => {
      for (const path of queue) {
        const { status } = await client.get(path)
        if (status === 200) outcome.answered += 1
        else outcome.refused += 1
      }
    }
    await Promise.all(Array.from({ length: 16 }, visitor))
    cache.off('stale', countStale)
    outcome.queries = database.queries - before
    return outcome
  }

  // After a failure the cache lets a moment pass before it tries the database again, so fresh is not the very next answer.
  async function freshAgain(past: number): Promise<number> {
    let population = past
    for (let attempt = 0; attempt < 400 && population === past; attempt += 1) {
      if (attempt > 0) await pause(50)
      population = (await cached.client.get<City>(`/cities/${city?.id}`)).body.population
    }
    return population
  }
}

interface Outcome {
  answered: number
  refused: number
  stale: number
  queries: number
}
