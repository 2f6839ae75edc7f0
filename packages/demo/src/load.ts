import { countriesBySize, type City } from './world.js'
import { popular, seededRandom } from './zipf.js'

/** One request of a visitor: a page to read, or a new population for a city. */
export type Visit = { path: string } | { update: City }

/**
 * What a day's visitors ask for, drawn anew with the same outcome each time: mostly pages of cities and countries, the
 * big ones far more often than the small; some searches; about one visit in two hundred changes a city.
 */
export function visits(cities: City[], count: number): Visit[] {
  const random = seededRandom(2024)
  const city = popular(cities, random)
  const country = popular(countriesBySize(cities), random)
  const searched = popular(cities.slice(0, 100), random)
  return Array.from({ length: count }, () => {
    const kind = random()
    if (kind < 0.005) return { update: city() }
    if (kind < 0.45) return { path: `/cities/${city().id}` }
    if (kind < 0.85) return { path: `/countries/${country()}/cities?top=20` }
    if (kind < 0.995) return { path: `/countries/${country()}` }
    return { path: `/search?q=${encodeURIComponent(searched().name.slice(0, 4).trim())}` }
  })
}
