import type { CacheEvents } from '@tiercel/core'
import type { Country } from '../cities.js'
import { count, type Chapter } from '../report.js'
import type { Stage } from '../stage.js'
import { countriesBySize, type City } from '../world.js'

/** One city changes while visitors read it. What do they see from then on, and which pages were dropped? */
export async function showUpdate({ cities, database, cache, cached: { client } }: Stage, { reads }: { reads: number }): Promise<Chapter> {
  const [home, neighbour] = countriesBySize(cities)
  const at = (code: string | undefined): City[] => cities.filter(({ country }) => country === code).slice(0, 40)
  const [city] = at(home)
  if (!home || !neighbour || !city) throw new RangeError('The show needs two countries')

  const pagesOf = (code: string): string[] =>
    [...at(code).map(({ id }) => `/cities/${id}`), `/countries/${code}`, `/countries/${code}/cities?top=20`]
  const homePages = pagesOf(home)
  const neighbourPages = pagesOf(neighbour)
  for (const page of [...homePages, ...neighbourPages]) await client.get(page)

  // The city stands on three pages, each cached under a key of its own: its own, its country's, and the list of the largest.
  const shown: (() => Promise<number>)[] = [
    async () => (await client.get<City>(`/cities/${city.id}`)).body.population,
    async () => (await client.get<Country>(`/countries/${home}`)).body.population,
    async () => (await client.get<City[]>(`/countries/${home}/cities?top=20`)).body.find(({ id }) => id === city.id)?.population ?? NaN,
  ]
  const before = await Promise.all(shown.map((read) => read()))
  const growth = 1_000
  const right = before.map((population) => population + growth)

  const dropped: string[] = []
  const note = ({ kind, target }: CacheEvents['invalidate']): void => {
    dropped.push(`${kind} ${target}`)
  }
  cache.on('invalidate', note)
  let confirmed = false
  const seen = { meanwhile: 0, fresh: 0, old: 0 }
  const visitor = async (): Promise<void> => {
    for (let turn = 0; seen.fresh + seen.old < reads; turn += 1) {
      const view = turn % shown.length
      const afterwards = confirmed
      const population = await shown[view]?.()
      if (!afterwards) seen.meanwhile += 1
      else if (population === right[view]) seen.fresh += 1
      else seen.old += 1
    }
  }
  const visitors = Array.from({ length: 16 }, visitor)
  const put = client.put(`/cities/${city.id}`, { population: (before[0] ?? 0) + growth }).finally(() => {
    confirmed = true
  })
  const [{ status }] = await Promise.all([put, ...visitors])
  cache.off('invalidate', note)

  const queriesFor = async (pages: string[]): Promise<number> => {
    const queriesBefore = database.queries
    for (const page of pages) await client.get(page)
    return database.queries - queriesBefore
  }
  const reloaded = await queriesFor(homePages)
  const kept = await queriesFor(neighbourPages)
  const roomOnly = dropped.includes(`room ${home}`) && !dropped.some((target) => target.startsWith('key'))
  return {
    heading: `${city.name} grows by ${count(growth)}: PUT /cities/${city.id}, while 16 visitors read`,
    table: [
      ['', 'counted'],
      ['reads begun before the PUT was confirmed (old or new: both are right)', count(seen.meanwhile)],
      ['reads begun after it', count(seen.fresh + seen.old)],
      ['of them with the new population, on the three pages that show it', count(seen.fresh)],
      ['of them with the old one', count(seen.old)],
      ['what the one call to invalidate named', dropped.join(', ')],
      [`other pages of ${home} that were dropped with it, of ${homePages.length - shown.length}`, count(reloaded)],
      [`pages of ${neighbour} that were, of ${neighbourPages.length}`, count(kept)],
    ],
    claims: [
      { says: 'once the update was confirmed, nobody saw the old value', holds: status === 200 && seen.old === 0 && seen.fresh > 0 },
      {
        says: 'naming the room dropped every page in it, and no page had to be named',
        holds: roomOnly && reloaded === homePages.length - shown.length,
      },
      { says: 'and nothing of another room', holds: kept === 0 },
    ],
  }
}
